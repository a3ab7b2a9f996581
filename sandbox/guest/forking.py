"""Forks of a process of one thread, without what Python and its libraries do after each fork.

Nearly all of that makes locks anew that other threads might have held, and touches memory all over, which a child has
to copy: it takes longer than the fork itself. The child goes on as the same process, also with the state of `random`.
"""

import ctypes
import os

# The interpreter's lock stays held, as it is across a fork.
_fork = ctypes.PyDLL(None, use_errno=True).fork


def is_alone() -> bool:
    """Whether this process has one thread."""
    return len(os.listdir("/proc/self/task")) == 1


def fork() -> int:
    """0 in the child, the child's pid in the parent. The process has to be alone. Raises OSError."""
    pid: int = _fork()
    if pid < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return pid
