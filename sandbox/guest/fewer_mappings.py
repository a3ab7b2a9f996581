"""Fewer mappings of memory: a fork copies each one, and an end takes each one apart."""

import contextlib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import kernel

_READ_WRITE, _READ_EXECUTE = 3, 5


@dataclass(frozen=True)
class _Mapping:
    start: int
    end: int
    rights: str
    offset: int
    file: str

    def goes_on_in(self, other: "_Mapping") -> bool:
        return (self.end, self.offset + self.end - self.start) == (other.start, other.offset)


def _mappings() -> list[_Mapping]:
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, offset, _, _, *file = line.split(None, 5)
        start, end = (int(part, 16) for part in span.split("-"))
        found.append(_Mapping(start, end, rights, int(offset, 16), file[0] if file else ""))
    return found


def _give(first: _Mapping, last: _Mapping, rights: int) -> None:
    if first is not last:
        with contextlib.suppress(OSError):
            kernel.protect(first.start, last.end - first.start, rights)


def _merge(library: list[_Mapping]) -> None:
    """Gives what is only read the rights of the code beside it, and what was made constant those of the variables."""
    code = [index for index, mapping in enumerate(library) if mapping.rights == "r-xp"]
    if not code:
        return
    first = last = code[0]
    while first > 0 and library[first - 1].rights == "r--p" and library[first - 1].goes_on_in(library[first]):
        first -= 1
    rest = library[last + 1 :]
    while rest and library[last].goes_on_in(rest[0]) and rest[0].rights == "r--p":
        last += 1
        rest = library[last + 1 :]
    _give(library[first], library[last], _READ_EXECUTE)
    variables = [mapping for mapping in rest if mapping.rights in ("r--p", "rw-p")]
    if variables:
        _give(variables[0], variables[-1], _READ_WRITE)


def merge() -> None:
    """Has the kernel join the mappings of each library that is loaded, by giving neighbours the same rights.

    They keep nobody from anything: code of a session could change the rights of its memory itself.
    """
    for file, library in groupby(_mappings(), lambda mapping: mapping.file):
        if file.startswith("/"):
            _merge(list(library))
