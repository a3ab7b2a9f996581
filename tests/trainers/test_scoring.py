"""What trainers send to `/v1/score`."""

import base64
from pathlib import Path
from typing import Any

import pytest
import rl_data
from tool_server import ToolServer, result, running

from lensmith_trainers.rl.read_tasks import read_tasks
from lensmith_trainers.rollout import JsonHttp, score_client, score_groups
from lensmith_trainers.runtime import Failure


def _score(server: ToolServer, groups: list[list[dict[str, Any]]], **rest: Any) -> list[list[dict[str, Any]]]:
    http = JsonHttp(server.url)
    try:
        return score_groups(http, "lensmith", groups, patience_seconds=5, cancelled=lambda: False, **rest)
    finally:
        http.close()


def _trace(name: str) -> dict[str, Any]:
    return {"answer": name, "task": {"reference": name}}


def test_an_attempt_that_is_repeated_keeps_its_id_and_another_step_has_a_new_one() -> None:
    refusals = iter([(503, {"Retry-After": "0"})])
    with running(ToolServer(lambda *_: result(), intercept=lambda *_: next(refusals, None))) as server:
        _score(server, [[_trace("a")]])
        _score(server, [[_trace("a")]])
        ids = [body["id"] for body in server.scorings]
    assert ids[0] == ids[1] != ids[2]
    assert len(ids) == 3


def test_images_travel_with_their_groups_in_requests_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_client, "_IMAGE_BYTES", 10)
    groups = [[_trace("a")], [_trace("b")], [_trace("c")]]
    images = [{"x": b"123456"}, {"y": b"1234"}, {"z": b"1234567890abc"}]
    with running(ToolServer(lambda *_: result())) as server:
        scores = _score(server, groups, images=images)
        bodies = server.scorings
    assert [[image["digest"] for image in body["images"]] for body in bodies] == [["x", "y"], ["z"]]
    assert [len(body["groups"]) for body in bodies] == [2, 1]
    assert base64.b64decode(bodies[0]["images"][0]["data"]) == b"123456"
    assert [[score["grade"]["verdict"] for score in group] for group in scores] == [["correct"]] * 3


def test_without_images_there_is_one_request() -> None:
    with running(ToolServer(lambda *_: result())) as server:
        _score(server, [[_trace(str(index))] for index in range(40)])
        assert [body["images"] for body in server.scorings] == [[]]


def test_a_row_says_what_its_image_needs(tmp_path: Path) -> None:
    (task,) = read_tasks(
        rl_data.write_needy_rows(tmp_path / "rl.parquet", 1, {"orientation": "rotate_270", "box": [1, 2, 3, 4]})
    )
    assert task.fields["needs"] == {"orientation": "rotate_270", "box": [1, 2, 3, 4]}
    (task,) = read_tasks(rl_data.write_needy_rows(tmp_path / "rl.parquet", 1, None))
    assert "needs" not in task.fields


@pytest.mark.parametrize("needs", [{"orientation": "rotate_270"}, {"box": [1, 2, 3, 4]}])
def test_what_a_row_does_not_say_of_its_needs_is_none(tmp_path: Path, needs: dict[str, Any]) -> None:
    (task,) = read_tasks(rl_data.write_needy_rows(tmp_path / "rl.parquet", 1, needs))
    assert task.fields["needs"] == {"orientation": None, "box": None, **needs}


def test_a_box_of_three_corners_is_a_data_failure(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="left, top, right and bottom") as caught:
        read_tasks(rl_data.write_needy_rows(tmp_path / "rl.parquet", 1, {"orientation": None, "box": [1, 2, 3]}))
    assert caught.value.type == "data"
