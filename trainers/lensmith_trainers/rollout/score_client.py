"""Scores from the tool server."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from lensmith_trainers.rollout.json_http import JsonHttp
from lensmith_trainers.rollout.retry import GaveUp, checked, retry
from lensmith_trainers.runtime.failure import Failure

_REQUEST_SECONDS = 120.0

Group = Sequence[dict[str, Any]]


def score_groups(
    http: JsonHttp, reward: str, groups: Sequence[Group], *, patience_seconds: float, cancelled: Callable[[], bool]
) -> list[list[dict[str, Any]]]:
    """Scores episodes by group; the answer has the shape of `groups` (`episodeScoreSchema`).

    Raises:
        Failure: `infrastructure` where the server stays away, `config` where it refuses the request, `cancelled` where
            the program is asked to stop meanwhile.
    """
    body = {"reward": reward, "groups": groups}

    def attempt() -> list[list[dict[str, Any]]]:
        return checked(http.request("POST", "/v1/score", body, seconds=_REQUEST_SECONDS), "scoring").body["groups"]

    where = f"{http.base_url}/v1/score"
    try:
        scores = retry(attempt, deadline=time.monotonic() + patience_seconds, cancelled=cancelled)
    except GaveUp as error:
        if cancelled():
            raise Failure("cancelled", f"asked to stop while waiting for scores: {error}", where=where) from error
        raise Failure("infrastructure", f"no score within {patience_seconds:g} s: {error}", where=where) from error
    except ValueError as error:
        raise Failure("config", f"the request was refused: {error}", where=where) from error
    shape, expected = [len(group) for group in scores], [len(group) for group in groups]
    if shape != expected:
        raise Failure("infrastructure", f"expected scores for groups of {expected}, got {shape}", where=where)
    return scores
