"""Finding and ending the processes that a session's code started."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

_ROUNDS = 60


def _living() -> dict[int, int]:
    """The parent of each process in /proc that is no zombie."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[:2]
                if state not in "ZX":
                    parents[int(name)] = int(parent)
    return parents


def children(parent: int) -> set[int]:
    """Living processes right below `parent`."""
    return {pid for pid, above in _living().items() if above == parent}


def descendants(root: int) -> set[int]:
    """Living processes below `root`. Those that outlived their parents count where `root` is a subreaper."""
    parents = _living()
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


def reap() -> None:
    """Takes leave of children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass


def end_all_but(keep: int) -> bool:
    """Ends every descendant of this process but `keep`; False where they multiply faster than they can be ended."""
    for round_number in range(_ROUNDS):
        doomed = descendants(os.getpid()) - {keep}
        reap()
        if not doomed:
            return True
        kill(doomed)
        time.sleep(0.0002 * (1 + round_number))
    return False
