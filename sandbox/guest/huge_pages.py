"""Fewer, larger pages for what every session shares: a fork copies an entry for each page, so it gets cheaper."""

import contextlib
from pathlib import Path

import kernel

_COLLAPSE = 25
_HUGE = 2 * 1024 * 1024


def collapse() -> None:
    """Gathers this process's private writable memory into huge pages, where the kernel can (Linux 6.1)."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, _, _, inode = line.split()[:5]
        if rights != "rw-p" or inode != "0" or line.endswith("[stack]"):
            continue
        start, end = (int(part, 16) for part in span.split("-"))
        first, last = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        for address in range(first, last, _HUGE):
            with contextlib.suppress(OSError):
                kernel.advise(address, _HUGE, _COLLAPSE)
