"""Finding and ending the processes that a session's code started."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

# Without getting fewer, and in all, where new ones come up: on a busy host many processes take a while to be gone.
_END_SECONDS = 3.0
_MOST_SECONDS = 7.0
# Where none does. Before that the supervisor takes the session for lost.
_SLOW_SECONDS = 60.0
# More than a session may have at one time: their numbers come from forks, whether they are new in a round or not.
_MOST_KNOWN = 1000
# Until a process that has ended is a child of the one that takes on orphans.
_ADOPTION_SECONDS = 1.0
_REMEMBERED = 64


def _state_of(name: str) -> tuple[bytes, bytes]:
    handle = os.open(f"/proc/{name}/stat", os.O_RDONLY)
    try:
        _, _, rest = os.read(handle, 4096).rpartition(b")")
    finally:
        os.close(handle)
    state, parent, *_ = rest.split(None, 2)
    return state, parent


def living() -> dict[int, int]:
    """The parent of each process in /proc that is no zombie."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = _state_of(name)
                if state not in b"ZX":
                    parents[int(name)] = int(parent)
    return parents


def children(parent: int) -> set[int]:
    """Living processes right below `parent`."""
    return {pid for pid, above in living().items() if above == parent}


def descendants(root: int) -> set[int]:
    """Living processes below `root`. Those that outlived their parents count where `root` is a subreaper."""
    parents = living()
    found: set[int] = set()
    pending = [root]
    while pending:
        above = pending.pop()
        below = {pid for pid, parent in parents.items() if parent == above} - found
        found |= below
        pending += below
    return found


def kill(pids: Iterable[int]) -> None:
    """Sends SIGKILL; those that are gone already are no matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


_statuses: dict[int, int] = {}


def reap() -> None:
    """Takes leave of children that have ended; `status_of` tells how."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if len(_statuses) >= _REMEMBERED:
                _statuses.pop(next(iter(_statuses)))
            _statuses[pid] = status


def status_of(pid: int) -> int | None:
    """How a process that has ended did so, as waitpid says it, once; None where it is not known.

    The one that forked it may go on for a moment, by a thread that is still to end, and only then is it a child.
    """
    pause = 0.0001
    deadline = time.monotonic() + _ADOPTION_SECONDS
    while True:
        reap()
        status = _statuses.pop(pid, None)
        if status is not None or time.monotonic() > deadline or not Path(f"/proc/{pid}").exists():
            return status
        time.sleep(pause)
        pause = min(pause * 2, 0.01)


def _kill_all() -> bool:
    """Sends SIGKILL to every process of this namespace but its first; False where there is none, dead ones included."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def end_namespace(await_end: Callable[[float], None]) -> bool:
    """For the first process of a pid namespace: ends all others; False where one is still there after a while.

    `await_end` waits for the one that takes longest, for so many seconds at most.
    """
    # The kernel lets none of them fork from here on.
    _kill_all()
    await_end(_END_SECONDS)
    pause = 0.0001
    deadline = time.monotonic() + _END_SECONDS
    while time.monotonic() < deadline:
        reap()
        if not _kill_all():
            _statuses.clear()
            return True
        time.sleep(pause)
        pause = min(pause * 2, 0.01)
    return False


def end_all(find: Callable[[], set[int]], keep: set[int]) -> bool:
    """Ends what `find` finds but `keep`; False where it multiplies faster than it can be ended."""
    pause = 0.0002
    now = time.monotonic()
    last, deadline, fewest = now + _MOST_SECONDS, now + _END_SECONDS, sys.maxsize
    slow, known = now + _SLOW_SECONDS, set[int]()
    while (now := time.monotonic()) < deadline:
        doomed = find() - keep
        reap()
        if not doomed:
            return True
        if len(doomed) < fewest:
            fewest, deadline = len(doomed), min(now + _END_SECONDS, last)
        if doomed <= known and len(known) < _MOST_KNOWN:
            # They have been killed, and the host is slow to do it.
            deadline = min(now + _END_SECONDS, slow)
        known |= doomed
        kill(doomed)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.01)
    return False
