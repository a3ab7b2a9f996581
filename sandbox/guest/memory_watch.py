"""What all processes of a session hold together: the kernel's limits are for each one."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


class MemoryExceededError(Exception):
    """Raised where a session holds more than it may."""


def own_bytes(pid: int | str) -> int:
    """Resident memory of a process that no file backs, bytes; what it shares since a fork counts in full."""
    try:
        _, resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[:3]
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE


def _proportional_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) * 1024
    return 0


def check(pids: Iterable[int], inherited: int, most: int) -> None:
    """Raises MemoryExceededError where processes hold more than `most` bytes beyond what each inherited."""
    processes = list(pids)
    if sum(max(0, own_bytes(pid) - inherited) for pid in processes) <= most:
        return
    # Copies that a fork shares were counted for each process; the exact figure takes the kernel longer.
    if sum(_proportional_bytes(pid) for pid in processes) > most + inherited:
        raise MemoryExceededError
