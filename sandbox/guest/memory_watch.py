"""What all processes of a session hold together: the kernel's limits are for each one."""

import contextlib
from collections.abc import Iterable
from pathlib import Path


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


def _proportional_bytes(pid: int) -> int:
    return _sum_of(f"/proc/{pid}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:"))


def check(pids: Iterable[int], inherited: int, most: int) -> None:
    """Raises MemoryExceededError where processes hold more than `most` bytes beyond what each inherited."""
    processes = list(pids)
    if sum(max(0, own_bytes(pid) - inherited) for pid in processes) <= most:
        return
    # Copies that a fork shares were counted for each process; the exact figure takes the kernel longer.
    if sum(_proportional_bytes(pid) for pid in processes) > most + inherited:
        raise MemoryExceededError
