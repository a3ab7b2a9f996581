"""Forks of a process of one thread, without what Python and its libraries do after each fork.

Nearly all of that makes locks anew that other threads might have held, and touches memory all over, which a child has
to copy: it takes longer than the fork itself. The child goes on as the same process, also with the state of `random`.
"""

import ctypes
import os

_LINKS_OF_ONE_THREAD = 3

# The interpreter's lock stays held, as it is across a fork.
_fork = ctypes.PyDLL(None, use_errno=True).fork


def is_alone() -> bool:
    """Whether this process has one thread, without a file to be opened: its code may hold all that it may open."""
    # Linux counts each thread as a link to the folder that lists them, beside the two of any folder.
    return os.stat("/proc/self/task").st_nlink == _LINKS_OF_ONE_THREAD


def fork() -> int:
    """0 in the child, the child's pid in the parent. The process has to be alone. Raises OSError."""
    pid: int = _fork()
    if pid < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return pid
