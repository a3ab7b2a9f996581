"""Scores from the tool server."""

import base64
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lensmith_trainers.rollout.json_http import JsonHttp
from lensmith_trainers.rollout.retry import GaveUp, checked, retry
from lensmith_trainers.runtime.failure import Failure

_REQUEST_SECONDS = 120.0
_IMAGE_BYTES = 64 * 1024 * 1024

Group = Sequence[dict[str, Any]]


def score_groups(
    http: JsonHttp,
    reward: str,
    groups: Sequence[Group],
    *,
    patience_seconds: float,
    cancelled: Callable[[], bool],
    images: Sequence[Mapping[str, bytes]] = (),
    run: str | None = None,
) -> list[list[dict[str, Any]]]:
    """Scores episodes by group; the answer has the shape of `groups` (`episodeScoreSchema`).

    Args:
        http: the tool server.
        reward: its name.
        groups: traces; those of a group share their task.
        patience_seconds: how long a server that is away or busy is waited for.
        cancelled: looked at before each wait.
        images: for each group the bytes of the images whose effect is to be credited, by digest; empty for none.
        run: whose judge decides what the rules leave open; without one such episodes come back masked.

    Raises:
        Failure: `infrastructure` where the server stays away, `config` where it refuses the request, `cancelled` where
            the program is asked to stop meanwhile.
    """
    scores: list[list[dict[str, Any]]] = []
    for start, end in _batches(len(groups), images):
        pixels = {digest: content for group in images[start:end] for digest, content in group.items()}
        body = {
            # A repeated attempt must not be scored twice; a repeated step has other times in its traces, and is new.
            "id": uuid.uuid4().hex,
            "reward": reward,
            "groups": groups[start:end],
            **({} if run is None else {"run": run}),
            "images": [{"digest": key, "data": base64.b64encode(value).decode()} for key, value in pixels.items()],
        }
        scores += _score(http, body, time.monotonic() + patience_seconds, patience_seconds, cancelled)
    shape, expected = [len(group) for group in scores], [len(group) for group in groups]
    if shape != expected:
        where = f"{http.base_url}/v1/score"
        raise Failure("infrastructure", f"expected scores for groups of {expected}, got {shape}", where=where)
    return scores


def _batches(count: int, images: Sequence[Mapping[str, bytes]]) -> Iterator[tuple[int, int]]:
    """Ranges of groups whose images fit into one request, at least one group each; all at once without images."""
    start, held = 0, 0
    for index in range(count if images else 0):
        size = sum(len(content) for content in images[index].values())
        if index > start and held + size > _IMAGE_BYTES:
            yield start, index
            start, held = index, 0
        held += size
    yield start, count


def _score(
    http: JsonHttp, body: dict[str, Any], deadline: float, patience_seconds: float, cancelled: Callable[[], bool]
) -> list[list[dict[str, Any]]]:
    def attempt() -> list[list[dict[str, Any]]]:
        return checked(http.request("POST", "/v1/score", body, seconds=_REQUEST_SECONDS), "scoring").body["groups"]

    where = f"{http.base_url}/v1/score"
    try:
        return retry(attempt, deadline=deadline, cancelled=cancelled)
    except GaveUp as error:
        if cancelled():
            raise Failure("cancelled", f"asked to stop while waiting for scores: {error}", where=where) from error
        raise Failure("infrastructure", f"no score within {patience_seconds:g} s: {error}", where=where) from error
    except ValueError as error:
        raise Failure("config", f"the request was refused: {error}", where=where) from error
