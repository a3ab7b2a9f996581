"""Fewer, larger pages for what every session shares: a fork copies an entry for each page, so it gets cheaper."""

import contextlib

import kernel
from mappings import mappings

_COLLAPSE = 25
_HUGE = 2 * 1024 * 1024


def collapse() -> None:
    """Gathers this process's private writable memory into huge pages, where the kernel can (Linux 6.1)."""
    for one in mappings():
        if one.rights != "rw-p" or one.is_of_library() or one.file == "[stack]":
            continue
        first, last = -(-one.start // _HUGE) * _HUGE, one.end // _HUGE * _HUGE
        for address in range(first, last, _HUGE):
            with contextlib.suppress(OSError):
                kernel.advise(address, _HUGE, _COLLAPSE)
