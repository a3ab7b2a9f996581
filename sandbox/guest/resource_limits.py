"""Limits that the kernel holds for each process of a call."""

import math
import resource
from typing import Any

_FILE_BYTES = 64 * 1024 * 1024
_PROCESSES = 64


def apply(limits: dict[str, Any], base_bytes: int, isolated: bool) -> None:
    """Limits this process and its children; `base_bytes` is what the libraries take of the address space."""
    memory = base_bytes + limits["memoryMib"] * 1024 * 1024
    seconds = math.ceil(limits["callSeconds"]) + 2
    bounds = [
        (resource.RLIMIT_AS, memory, memory),
        # With equal bounds the kernel sends SIGKILL at once, which reads as a want of memory.
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        (resource.RLIMIT_FSIZE, _FILE_BYTES, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, 128, 128),
        (resource.RLIMIT_CORE, 0, 0),
    ]
    if isolated:
        # Counted in the session's own user namespace; without one, all processes of the user would count.
        bounds.append((resource.RLIMIT_NPROC, _PROCESSES, _PROCESSES))
    for name, soft, hard in bounds:
        _, most = resource.getrlimit(name)
        allowed = hard if most == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(name, (min(soft, allowed), allowed))
