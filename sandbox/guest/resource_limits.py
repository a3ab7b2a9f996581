"""Limits that the kernel holds for each process of a call."""

import resource
from typing import Any

# Processor time beyond a call's wall time after which one process is ended, seconds.
PROCESSOR_SECONDS = 2
_FILE_BYTES = 64 * 1024 * 1024
_PROCESSES = 64


def apply(limits: dict[str, Any], base_bytes: int, *, isolated: bool) -> None:
    """Limits this process and its children; `base_bytes` is what the libraries take of the address space."""
    memory = base_bytes + limits["memoryMib"] * 1024 * 1024
    bounds = [
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, 128),
        (resource.RLIMIT_CORE, 0),
    ]
    if isolated:
        # Counted in the session's own user namespace; without one, all processes of the user would count.
        bounds.append((resource.RLIMIT_NPROC, _PROCESSES))
    for name, bound in bounds:
        _, most = resource.getrlimit(name)
        allowed = bound if most == resource.RLIM_INFINITY else min(bound, most)
        resource.setrlimit(name, (allowed, allowed))
