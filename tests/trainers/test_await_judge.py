"""Waiting for the judge of a step."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lensmith_trainers.rl.await_judge import await_judge
from lensmith_trainers.runtime import Failure

Scores = list[list[dict[str, Any]]]


def _decided(**rest: Any) -> dict[str, Any]:
    return {"grade": {"verdict": "correct", "decidedBy": "judge", "reason": "the same"}, **rest}


_AWAY = {"grade": {"verdict": "judge_failed", "decidedBy": "none", "reason": "it is away"}, "awaitsJudge": True}
_CANNOT_TELL = {"grade": {"verdict": "judge_failed", "decidedBy": "none", "reason": "it cannot tell"}}


def _await(score: Callable[[], Scores], told: list[int], **rest: Any) -> Scores:
    options = {"cancelled": lambda: False, "waiting": told.append, "first_pause": 0.01, **rest}
    return await_judge(score, **options)


def test_a_step_is_scored_again_until_the_judge_has_had_its_say() -> None:
    told: list[int] = []
    known, new = _decided(cached=False), _decided(cached=True)
    replies: Iterator[Scores] = iter([[[_AWAY, known], [_AWAY]], [[_AWAY, new], [new]], [[new, new], [_CANNOT_TELL]]])
    scores = _await(lambda: next(replies), told)
    assert told == [2, 1]
    # What the step itself had waited for was asked for it, and did not stand in the cache.
    assert scores == [[known, known], [_CANNOT_TELL]]
    assert scores[0][0]["cached"] is False
    assert next(replies, None) is None


def test_what_the_judge_leaves_open_for_good_is_not_waited_for() -> None:
    told: list[int] = []
    assert _await(lambda: [[_CANNOT_TELL, _CANNOT_TELL]], told) == [[_CANNOT_TELL, _CANNOT_TELL]]
    assert told == []


@pytest.mark.parametrize(("away", "waits"), [(1, False), (2, True)])
def test_one_episode_of_twenty_is_not_waited_for(away: int, waits: bool) -> None:
    told: list[int] = []
    step = [*[_AWAY] * away, *[_decided()] * (20 - away)]
    replies: Iterator[Scores] = iter([[step], [[_decided()] * 20]])
    _await(lambda: next(replies), told)
    assert bool(told) is waits


def test_patience_ends_with_the_judge_s_own_reason() -> None:
    with pytest.raises(Failure, match=r"1 of 1 episodes waited 0\.05 s for the judge: it is away") as caught:
        _await(lambda: [[_AWAY]], [], patience_seconds=0.05)
    assert caught.value.type == "infrastructure"


def test_a_program_that_is_asked_to_stop_waits_no_longer() -> None:
    told: list[int] = []
    with pytest.raises(Failure, match="asked to stop") as caught:
        _await(lambda: [[_AWAY]], told, cancelled=lambda: bool(told), first_pause=60)
    assert caught.value.type == "cancelled"
