"""Waiting for a judge that is away, late or still being audited, rather than learning from what is left without it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from lensmith_trainers.runtime.failure import Failure

# As many episodes of a step as evaluations leave undecided by default.
_TOLERATED_SHARE = 0.05
_PATIENCE_SECONDS = 1800.0
_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 30.0
_LOOK_SECONDS = 0.5

Scores = list[list[dict[str, Any]]]


def await_judge(
    score: Callable[[], Scores],
    *,
    cancelled: Callable[[], bool],
    waiting: Callable[[int], None],
    patience_seconds: float | None = None,
    first_pause: float = _FIRST_PAUSE,
) -> Scores:
    """Scores a step's episodes again until its judge has had its say on all but one of twenty of them.

    What the judge has decided stands in its cache, so nothing is asked twice. Episodes that it leaves open for good, as
    it cannot tell or failed its audit, are not waited for.

    Args:
        score: scores all episodes of the step, by group.
        cancelled: looked at while it waits.
        waiting: told before each pause how many episodes wait for the judge.
        patience_seconds: how long the judge is waited for, half an hour by default.
        first_pause: seconds before the second scoring; doubled before each further one, up to 30.

    Raises:
        Failure: `infrastructure` where the patience ends, with the reason of one episode, `cancelled` where the program
            is asked to stop meanwhile.
    """
    patience = _PATIENCE_SECONDS if patience_seconds is None else patience_seconds
    deadline = time.monotonic() + patience
    pause = first_pause
    scores = score()
    while True:
        every = [each for group in scores for each in group]
        open_ones = [each for each in every if each.get("awaitsJudge")]
        if len(open_ones) <= _TOLERATED_SHARE * len(every):
            return scores
        reason = open_ones[0]["grade"]["reason"]
        if time.monotonic() + pause > deadline:
            message = f"{len(open_ones)} of {len(every)} episodes waited {patience:g} s for the judge: {reason}"
            raise Failure("infrastructure", message)
        waiting(len(open_ones))
        _sleep(pause, cancelled)
        if cancelled():
            raise Failure("cancelled", f"asked to stop while waiting for the judge: {reason}")
        pause = min(2 * pause, _LONGEST_PAUSE)
        scores = _as_asked(scores, score())


def _as_asked(before: Sequence[Sequence[dict[str, Any]]], after: Scores) -> Scores:
    """The newer scores; a verdict that the step itself waited for was not in the cache when the step asked for it."""
    return [
        [
            _with_cached(new, False if old.get("awaitsJudge") else old.get("cached"))
            for old, new in zip(*both, strict=True)
        ]
        for both in zip(before, after, strict=True)
    ]


def _with_cached(score: dict[str, Any], cached: bool | None) -> dict[str, Any]:
    return score if cached is None or "cached" not in score else {**score, "cached": cached}


def _sleep(seconds: float, cancelled: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not cancelled() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_SECONDS))
