"""What all processes of a session hold together: the kernel's limits are for each one."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import heap_file


class MemoryExceededError(Exception):
    """Raised where a session holds more than it may."""


def _sum_of(path: str, fields: tuple[str, ...]) -> int:
    with contextlib.suppress(OSError):
        lines = Path(path).read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(fields))
    return 0


def own_bytes(pid: int | str) -> int:
    """Resident memory of a process that no file backs, bytes; what it shares with others counts in full."""
    return _sum_of(f"/proc/{pid}/status", ("RssAnon:", "RssShmem:"))


def _libraries_bytes(pid: int) -> int:
    """What of a process's memory are pages of the heap's file, which all share, bytes, or a little less."""
    found = {"Pss": 0, "Anonymous": 0}
    with contextlib.suppress(OSError), Path(f"/proc/{pid}/smaps").open() as lines:
        # The first of that name is the heap; the code may give another file the same name.
        for line in lines:
            if line.endswith(f"{heap_file.MAPPED_AS}\n"):
                break
        for line in lines:
            name, _, value = line.partition(":")
            if name in found:
                found[name] = int(value.split()[0]) * 1024
            if name == "Anonymous":
                break
    return max(0, found["Pss"] - found["Anonymous"])


def _proportional_bytes(pid: int) -> int:
    return _sum_of(f"/proc/{pid}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")) - _libraries_bytes(pid)


def check(pids: Iterable[int], inherited: int, most: int) -> None:
    """Raises MemoryExceededError where processes hold more than `most` bytes beyond what each inherited."""
    processes = list(pids)
    if sum(max(0, own_bytes(pid) - inherited) for pid in processes) <= most:
        return
    # What processes share was counted for each one, as were pages that the libraries left; to tell takes longer.
    if sum(_proportional_bytes(pid) for pid in processes) > most + inherited:
        raise MemoryExceededError
