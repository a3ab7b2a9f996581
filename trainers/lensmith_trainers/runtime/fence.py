"""Whose the stage is. Of two leases of a stage the one with the greater fence is right.

Every owner leaves its fence, an empty file with that number as its name, in a folder that all hosts share before it
starts a program (`activities/claim-stage.ts`). A program that was cut off or stopped for a while finds there that its
stage has gone to another host, and writes nothing more into what both of them see.
"""

import os
from pathlib import Path

from lensmith_trainers.runtime.failure import Failure

FENCE = "LENSMITH_FENCE"
FENCES = "LENSMITH_FENCES"


def own_fence() -> int | None:
    """Fence of the lease that this program works under; None where it needs no lease."""
    value = os.environ.get(FENCE)
    return int(value) if value and os.environ.get(FENCES) else None


def assert_owns_stage(what: str) -> None:
    """Refuses to write `what` where a newer lease has taken the stage over.

    Raises:
        Failure: type `infrastructure`, as an activity that comes under an older lease has.
        OSError: where the folder of the fences cannot be read, so that nobody knows.
    """
    fence = own_fence()
    if fence is None:
        return
    folder = Path(os.environ[FENCES])
    newest = max((int(path.name) for path in folder.iterdir() if path.name.isdecimal()), default=fence)
    if newest > fence:
        message = f"expected the newest lease of the stage, got fence {fence} after {newest}; {what} was not written"
        raise Failure("infrastructure", message, where=str(folder))
