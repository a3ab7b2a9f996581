"""Whether a time stamp of a file can be relied on."""

import os

_TRIES = 16


class _Clock:
    # What was changed within this time of a look may change again without a new time stamp, nanoseconds.
    step = 50_000_000


def learn(folder: str) -> None:
    """Finds whether a change always shows in a stamp that was looked at, as it does in memory from Linux 6.13 on.

    `folder` has to be on such a file system as those that will be looked at.
    """
    path = f"{folder}/stamps"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        stamps = set()
        for _ in range(_TRIES):
            os.write(handle, b".")
            stamps.add(os.fstat(handle).st_ctime_ns)
    finally:
        os.close(handle)
        os.unlink(path)
    # A coarse clock goes on once while this lasts, or not at all.
    if len(stamps) == _TRIES:
        _Clock.step = 0


def settled(status: os.stat_result, now: int) -> bool:
    """Whether another change after this look, at `now` of `time.time_ns`, will show in the stamps."""
    return status.st_ctime_ns < now - _Clock.step
