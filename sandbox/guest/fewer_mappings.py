"""Fewer mappings of memory: a fork copies each one, and an end takes each one apart."""

import contextlib
from itertools import groupby

import kernel
from mappings import Mapping, mappings

_READ_WRITE, _READ_EXECUTE = 3, 5


def _goes_on(one: Mapping, other: Mapping) -> bool:
    """Whether the other is what follows in memory and in the file."""
    return (one.end, one.offset + one.size) == (other.start, other.offset)


def _give(first: Mapping, last: Mapping, rights: int) -> None:
    if first is not last:
        with contextlib.suppress(OSError):
            kernel.protect(first.start, last.end - first.start, rights)


def _merge(library: list[Mapping]) -> None:
    """Gives what is only read the rights of the code beside it, and what was made constant those of the variables."""
    code = [index for index, mapping in enumerate(library) if mapping.rights == "r-xp"]
    if not code:
        return
    first = last = code[0]
    while first > 0 and library[first - 1].rights == "r--p" and _goes_on(library[first - 1], library[first]):
        first -= 1
    rest = library[last + 1 :]
    while rest and _goes_on(library[last], rest[0]) and rest[0].rights == "r--p":
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
    for file, library in groupby(mappings(), lambda mapping: mapping.file):
        if file.startswith("/"):
            _merge(list(library))
