"""Limits that the kernel holds for each process of a call."""

from collections.abc import Callable
from math import ceil
from resource import (
    RLIM_INFINITY,
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_FSIZE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    getrlimit,
    setrlimit,
)
from time import process_time
from typing import Any

# Processor time beyond a call's wall time after which one process is ended, seconds.
_PROCESSOR_SECONDS = 2
_MEBIBYTE = 1024 * 1024
_FILE_BYTES = 64 * _MEBIBYTE
_OPEN_FILES = 128
_PROCESSES = 64

Bounds = list[tuple[int, int]]
# Holds a process to a session's limits, once these are known.
Hold = Callable[[dict[str, Any]], None]


def bounds_of(limits: dict[str, Any], base_bytes: int, *, isolated: bool) -> Bounds:
    """What a session's limits are to the kernel; `base_bytes` is what the libraries take of the address space."""
    bounds = [
        (RLIMIT_AS, base_bytes + limits["memoryMib"] * _MEBIBYTE),
        (RLIMIT_FSIZE, _FILE_BYTES),
        (RLIMIT_NOFILE, _OPEN_FILES),
        (RLIMIT_CORE, 0),
    ]
    if isolated:
        # Counted in the session's own user namespace; without one, all processes of the user would count.
        bounds.append((RLIMIT_NPROC, _PROCESSES))
    return bounds


def hold(bounds: Bounds) -> None:
    """Limits this process and its children, for good; no limit that holds already gets wider."""
    for name, bound in bounds:
        _, most = getrlimit(name)
        allowed = bound if most == RLIM_INFINITY else min(bound, most)
        setrlimit(name, (allowed, allowed))


def holder(base_bytes: int, *, isolated: bool) -> Hold:
    """What holds a process to the limits of `bounds_of`."""
    return lambda limits: hold(bounds_of(limits, base_bytes, isolated=isolated))


def allow_seconds(seconds: float) -> None:
    """Bounds the processor time of the coming call: this process has used some before."""
    try:
        _, most = getrlimit(RLIMIT_CPU)
        bound = ceil(process_time()) + ceil(seconds) + _PROCESSOR_SECONDS
        if most == RLIM_INFINITY or bound <= most:
            setrlimit(RLIMIT_CPU, (bound, most))
    except (OSError, ValueError):
        pass
