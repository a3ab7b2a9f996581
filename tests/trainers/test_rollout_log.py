"""The scored traces that RL keeps."""

import gzip
import json
from pathlib import Path

from lensmith_trainers.rl.rollout_log import RolloutLog


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _write(log: RolloutLog, step: int, text: str = "x") -> None:
    log.write(step, "lensmith", [[{"text": text}, {"text": "b"}]], [[{"reward": 1.0}, {"reward": 0.0}]])


def test_a_line_an_episode_with_its_group_and_score(tmp_path: Path) -> None:
    _write(RolloutLog(tmp_path, 0), 3)
    lines = gzip.decompress((tmp_path / "step-0000003.jsonl.gz").read_bytes()).decode().splitlines()
    assert json.loads(lines[0]) == {
        "step": 3,
        "group": 0,
        "reward": "lensmith",
        "episode": {"text": "x"},
        "score": {"reward": 1.0},
    }
    assert len(lines) == 2


def test_the_oldest_go_when_all_exceed_the_bound_and_the_newest_stays(tmp_path: Path) -> None:
    log = RolloutLog(tmp_path, 0)
    _write(log, 1)
    size = (tmp_path / "step-0000001.jsonl.gz").stat().st_size
    log = RolloutLog(tmp_path, 1, kept_bytes=2 * size + size // 2)
    for step in (2, 3, 10):
        _write(log, step)
    assert _names(tmp_path) == ["step-0000003.jsonl.gz", "step-0000010.jsonl.gz"]
    log = RolloutLog(tmp_path, 10, kept_bytes=1)
    _write(log, 11)
    assert _names(tmp_path) == ["step-0000011.jsonl.gz"]


def test_resuming_drops_the_steps_that_are_taken_again(tmp_path: Path) -> None:
    log = RolloutLog(tmp_path, 0)
    for step in (1, 2, 3):
        _write(log, step)
    RolloutLog(tmp_path, 1)
    assert _names(tmp_path) == ["step-0000001.jsonl.gz"]
