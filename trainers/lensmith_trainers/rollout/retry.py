"""Waiting for a server that is away for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

from lensmith_trainers.rollout.json_http import Reply, Unreachable

Result = TypeVar("Result")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0


class Transient(Exception):  # noqa: N818 - names a state
    """Worth another try, after `pause` seconds where the server named a time."""

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause


class GaveUp(Exception):  # noqa: N818 - names a state
    """The deadline passed, or the work was cancelled, before an attempt succeeded."""


def retry(attempt: Callable[[], Result], *, deadline: float, cancelled: Callable[[], bool]) -> Result:
    """Calls `attempt` until it neither raises `Transient` nor `Unreachable`.

    Args:
        attempt: one try.
        deadline: `time.monotonic()` after which there is no further try.
        cancelled: looked at before each wait.

    Raises:
        GaveUp: with the last failure in its message.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            return attempt()
        except (Transient, Unreachable) as error:
            named = error.pause if isinstance(error, Transient) else None
            wait = min(named if named is not None else pause, _LONGEST_PAUSE)
            if cancelled() or time.monotonic() + wait > deadline:
                raise GaveUp(str(error)) from error
            time.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)


def checked(reply: Reply, what: str) -> Reply:
    """Sorts out answers that are not 2xx.

    Raises:
        Transient: for 429 and 5xx.
        ValueError: for what another try would meet again.
    """
    if reply.status < 300:
        return reply
    message = f"{what} answered {reply.status}: {str(reply.body)[:300]}"
    if reply.status == 429 or reply.status >= 500:
        raise Transient(message, reply.retry_after)
    raise ValueError(message)
