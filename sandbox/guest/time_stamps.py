"""Whether a time stamp of a file can be relied on."""

import os

# What was changed within this time of a look may change again without a new time stamp, nanoseconds.
_CLOCK_STEP = 50_000_000


def settled(status: os.stat_result, now: int) -> bool:
    """Whether another change after this look, at `now` of `time.time_ns`, will show in the stamps."""
    return status.st_ctime_ns < now - _CLOCK_STEP
