"""What the kernel tells of this process's mappings of memory."""

from dataclasses import dataclass
from pathlib import Path

import kernel


@dataclass(slots=True)
class Mapping:
    """One mapping, from `start` up to `end`; sizes in bytes."""

    start: int
    end: int
    # As in /proc/self/maps: "r-xp".
    rights: str
    offset: int
    # Its path, the kernel's name for it in brackets, or nothing.
    file: str
    # These two only where they were counted.
    resident: int = 0
    in_large_pages: int = 0

    @property
    def size(self) -> int:
        return self.end - self.start

    def huge_pages(self) -> tuple[int, int]:
        """Where the first huge page that lies whole in it begins and the last one ends; no later, where none does."""
        size = kernel.HUGE_PAGE_BYTES
        return -(-self.start // size) * size, self.end // size * size

    def is_of_library(self) -> bool:
        return self.file.startswith("/")


def mappings(*, counted: bool = False) -> list[Mapping]:
    """All of them in their order; to have their pages `counted` takes the kernel some milliseconds."""
    found: list[Mapping] = []
    for line in Path("/proc/self/smaps" if counted else "/proc/self/maps").read_text().splitlines():
        first, *rest = line.split(None, 5)
        if first == "Rss:":
            found[-1].resident = int(rest[0]) * 1024
        elif first == "AnonHugePages:":
            found[-1].in_large_pages = int(rest[0]) * 1024
        elif "-" in first:
            start, end = (int(part, 16) for part in first.split("-"))
            found.append(Mapping(start, end, rest[0], int(rest[1], 16), rest[4] if len(rest) > 4 else ""))
    return found


def mapping_of(address: int, *, counted: bool = False) -> Mapping | None:
    """The one that holds an address."""
    return next((one for one in mappings(counted=counted) if one.start <= address < one.end), None)
