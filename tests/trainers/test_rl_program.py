import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rl_data
import torch
from tool_server import ToolServer, result, running, score

from lensmith_trainers.modeling import load_model
from lensmith_trainers.rl import await_judge
from lensmith_trainers.rl.train import train_rl
from lensmith_trainers.runtime import Failure, RlConfig, StopRequest, read_manifest

TRAINERS = Path(__file__).parents[2] / "trainers"


def length_score(episode: dict[str, Any]) -> dict[str, Any]:
    """Rewards text with many different letters, so that groups have a spread though the model is random."""
    text = "".join(turn["text"] for turn in episode["turns"])
    return score(False, reward=float(len(set(text))), terms={"letters": float(len(set(text)))})


@pytest.fixture(scope="module")
def server() -> Iterator[ToolServer]:
    with running(ToolServer(lambda *_: result("no_output"), length_score)) as server:
        yield server


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rl_data.write_rl_rows(tmp_path_factory.mktemp("rl") / "rl.parquet", 6)


@pytest.fixture
def base(server: ToolServer, dataset: Path, miniature_folder: Path) -> dict[str, Any]:
    server.requests.clear()
    return {"toolServer": server.url, "dataset": str(dataset), "model": str(miniature_folder)}


def train(folder: Path, stop: StopRequest | None = None, **changes: object) -> dict[str, Any]:
    config = rl_data.rl_config(folder, **changes)
    return train_rl(RlConfig.model_validate_json(json.dumps(config)), stop or StopRequest())


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def asked(server: ToolServer) -> list[list[str]]:
    """The samples of each step's groups."""
    return [[group[0]["task"]["sampleId"] for group in body["groups"]] for body in server.scorings]


def test_steps_take_the_rows_in_order_and_write_metrics(base: dict, server: ToolServer, tmp_path: Path) -> None:
    train(tmp_path, **base)
    assert asked(server) == [["rl-0", "rl-1"], ["rl-2", "rl-3"], ["rl-4", "rl-5"], ["rl-0", "rl-1"]]
    lines = rl_data.metrics_lines(tmp_path)
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    for line in lines:
        assert line["terms"]["letters"] == pytest.approx(line["reward"])
        assert line["accuracy"] == 0
        assert line["masked"] == 0
        assert line["gradNorm"] > 0
        assert set(line["seconds"]) == {"generation", "tools", "scoring", "training"}
    # Nothing has been learnt when the first step's tokens are drawn.
    assert lines[0]["kl"] == pytest.approx(0, abs=1e-5)
    assert lines[-1]["kl"] > lines[0]["kl"]
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert (progress["phase"], progress["step"], progress["total"]) == ("done", 4, 4)


def test_only_a_judged_run_names_itself_to_the_scoring(base: dict, server: ToolServer, tmp_path: Path) -> None:
    train(tmp_path / "rules", **base, steps=1)
    train(tmp_path / "judged", **base, steps=1, judged=True)
    assert [body.get("run") for body in server.scorings] == [None, "test"]


@pytest.mark.parametrize("scored_images", [True, False])
def test_pixels_travel_where_the_reward_looks_at_them(base: dict, tmp_path: Path, scored_images: bool) -> None:
    dataset = rl_data.write_needy_rows(tmp_path / "rl.parquet", 6, {"orientation": "rotate_90"})
    with running(ToolServer(lambda *_: result("no_output"))) as other:
        changes = {"toolServer": other.url, "dataset": str(dataset), "scoredImages": scored_images}
        train(tmp_path, **{**base, **changes}, steps=1)
        assert [bool(body["images"]) for body in other.scorings] == [scored_images]


def test_metrics_say_who_decided(base: dict, tmp_path: Path) -> None:
    seen: list[int] = []

    def scored(_: dict[str, Any]) -> dict[str, Any]:
        seen.append(len(seen))
        grade = {"verdict": "correct", "decidedBy": "judge", "reason": "the same"}
        return [
            score(True),
            {**score(True), "grade": grade, "cached": False},
            {**score(True), "grade": grade, "cached": True},
            score(False, masked=True),
        ][seen[-1] % 4]

    with running(ToolServer(lambda *_: result("no_output"), scored)) as other:
        train(tmp_path, **{**base, "toolServer": other.url}, steps=1, judged=True)
    (line,) = rl_data.metrics_lines(tmp_path)
    share = len(seen) // 4
    assert (line["masked"], line["judged"], line["judgeCached"]) == (share, 2 * share, share)


def test_a_step_whose_judge_is_away_waits_for_it(base: dict, tmp_path: Path) -> None:
    scorings: list[str] = []

    def scored(_: dict[str, Any]) -> dict[str, Any]:
        first = len({body["id"] for body in other.scorings}) == 1
        scorings.append("away" if first else "there")
        return {**score(False, masked=True), "awaitsJudge": True} if first else score(True)

    with running(ToolServer(lambda *_: result("no_output"), scored)) as other:
        train(tmp_path, **{**base, "toolServer": other.url}, steps=1, judged=True)
    (line,) = rl_data.metrics_lines(tmp_path)
    assert scorings.count("away") == scorings.count("there") > 0
    assert line["masked"] == 0
    assert line["seconds"]["scoring"] > 1


@pytest.mark.parametrize("asked_to_stop", [True, False])
def test_a_step_that_cannot_be_scored_leaves_a_checkpoint_of_the_steps_before_it(
    base: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_to_stop: bool
) -> None:
    train(tmp_path / "undisturbed", **base)
    stop, away = StopRequest(), True

    def scored(episode: dict[str, Any]) -> dict[str, Any]:
        if not (away and len(other.scorings) > 3):
            return length_score(episode)
        stop.requested = asked_to_stop
        return {**score(False, masked=True), "awaitsJudge": True}

    monkeypatch.setattr(await_judge, "_PATIENCE_SECONDS", 60.0 if asked_to_stop else 1.0)
    expected = "cancelled" if asked_to_stop else "infrastructure"
    with running(ToolServer(lambda *_: result("no_output"), scored)) as other:
        config = {**base, "toolServer": other.url}
        with pytest.raises(Failure) as caught:
            train(tmp_path, stop, **config)
        assert caught.value.type == expected
        assert sorted(path.name for path in (tmp_path / "output").iterdir()) == ["checkpoint-2", "checkpoint-3"]
        away = False
        train(tmp_path, **config, resumeFrom=str(tmp_path / "output" / "checkpoint-3"))
    assert digest(tmp_path / "output" / "model") == digest(tmp_path / "undisturbed" / "output" / "model")


def test_every_step_keeps_its_scored_episodes(base: dict, server: ToolServer, tmp_path: Path) -> None:
    train(tmp_path, **base)
    files = sorted((tmp_path / "rollouts").iterdir())
    assert [path.name for path in files] == [f"step-000000{step}.jsonl.gz" for step in (1, 2, 3, 4)]
    lines = [json.loads(line) for line in gzip.decompress(files[1].read_bytes()).splitlines()]
    assert [line["episode"]["task"]["sampleId"] for line in lines[::4]] == asked(server)[1]
    assert {line["step"] for line in lines} == {2}
    assert all(line["score"]["reward"] == line["score"]["terms"]["letters"] for line in lines)


def test_checkpoints_are_models_with_a_manifest_and_vision_stays(base: dict, tmp_path: Path) -> None:
    details = train(tmp_path, **base)
    output = tmp_path / "output"
    assert sorted(path.name for path in output.iterdir()) == ["checkpoint-2", "checkpoint-4", "model"]
    assert read_manifest(output / "checkpoint-2", "checkpoint")["details"] == {"step": 2}
    assert read_manifest(output / "model", "model")["details"]["steps"] == 4
    assert details == {"model": str(output / "model")}
    before, after = load_model(base["model"], "cpu").model, load_model(output / "checkpoint-2", "cpu").model
    changed = {
        name.split(".")[1]
        for (name, one), two in zip(before.named_parameters(), after.parameters(), strict=True)
        if not torch.equal(one, two)
    }
    assert changed == {"language_model"}


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    base: dict, server: ToolServer, tmp_path: Path
) -> None:
    train(tmp_path, **base)
    rows, weights, lines = asked(server), digest(tmp_path / "output" / "model"), rl_data.metrics_lines(tmp_path)
    server.requests.clear()
    checkpoint = tmp_path / "output" / "checkpoint-2"
    train(tmp_path, **base, resumeFrom=str(checkpoint))
    assert asked(server) == rows[2:]
    again = rl_data.metrics_lines(tmp_path)
    assert [line["step"] for line in again] == [1, 2, 3, 4]
    for name in ("reward", "loss", "learningRate", "kl", "gradNorm"):
        assert [line[name] for line in again] == pytest.approx([line[name] for line in lines], rel=1e-4, abs=1e-7)
    assert digest(tmp_path / "output" / "model") == weights


def test_a_model_without_the_fast_path_learns_the_same(
    base: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast, slow = tmp_path / "fast", tmp_path / "slow"
    train(fast, **base, steps=2)
    for module in ("rollout.generate", "rl.sequence_log_probs"):
        monkeypatch.setattr(f"lensmith_trainers.{module}.has_fast_path", lambda _: False)
    train(slow, **base, steps=2)
    for one, two in zip(rl_data.metrics_lines(fast), rl_data.metrics_lines(slow), strict=True):
        for name in ("reward", "length", "loss", "gradNorm", "kl"):
            assert two[name] == pytest.approx(one[name], rel=1e-3, abs=1e-5)


def test_a_penalty_on_kl_keeps_the_policy_nearer(base: dict, tmp_path: Path) -> None:
    free, held = tmp_path / "free", tmp_path / "held"
    train(free, **base, steps=6, learningRate=3e-3)
    train(held, **base, steps=6, learningRate=3e-3, klCoefficient=5.0)
    assert rl_data.metrics_lines(held)[-1]["kl"] < rl_data.metrics_lines(free)[-1]["kl"]


def test_masked_episodes_and_groups_without_spread_teach_nothing(
    base: dict, miniature_folder: Path, tmp_path: Path
) -> None:
    def outage(episode: dict[str, Any]) -> dict[str, Any]:
        hit = episode["episodeId"].endswith(":0")
        return score(not hit, reward=-100.0 if hit else 1.0, masked=hit)

    with running(ToolServer(lambda *_: result("no_output"), outage)) as server:
        train(tmp_path, **{**base, "toolServer": server.url})
    line = rl_data.metrics_lines(tmp_path)[-1]
    assert (line["masked"], line["reward"], line["accuracy"]) == (2, 1.0, 1.0)
    assert digest(tmp_path / "output" / "model") == digest(tmp_path / "output" / "checkpoint-2")
    before, after = (load_model(path, "cpu").model for path in (miniature_folder, tmp_path / "output" / "model"))
    assert all(torch.equal(one, two) for one, two in zip(before.parameters(), after.parameters(), strict=True))


def test_a_reward_that_is_no_number_ends_training_before_its_checkpoint(base: dict, tmp_path: Path) -> None:
    with (
        running(ToolServer(lambda *_: result("no_output"), lambda _: score(False, reward=float("inf")))) as server,
        pytest.raises(Failure, match="finite numbers at step 1, got a loss of nan") as caught,
    ):
        train(tmp_path, **{**base, "toolServer": server.url}, saveEvery=1)
    assert caught.value.type == "config"
    assert rl_data.metrics_lines(tmp_path)[-1]["loss"] is None
    assert not list((tmp_path / "output").glob("*"))


def test_a_damaged_checkpoint_is_refused(base: dict, tmp_path: Path) -> None:
    train(tmp_path, **base)
    checkpoint = tmp_path / "output" / "checkpoint-2"
    (checkpoint / "optimizer.pt").write_bytes(b"torn")
    with pytest.raises(Failure, match=r"optimizer\.pt") as caught:
        train(tmp_path, **base, resumeFrom=str(checkpoint))
    assert caught.value.type == "data"


def test_a_file_that_is_no_rl_data_is_a_data_error(base: dict, captions: Path, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="data_source") as caught:
        train(tmp_path, **{**base, "dataset": str(captions)})
    assert caught.value.type == "data"


def test_the_program_saves_a_checkpoint_when_it_is_asked_to_stop(base: dict, tmp_path: Path) -> None:
    config = rl_data.rl_config(tmp_path, **base, steps=10_000, saveEvery=10_000)
    path = rl_data.write_config(tmp_path, config)
    process = subprocess.Popen(
        [sys.executable, "-m", "lensmith_trainers.rl", "--config", str(path)],
        env={**os.environ, "PYTHONPATH": str(TRAINERS)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "metrics.jsonl").exists() or not rl_data.metrics_lines(tmp_path):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 1
    finally:
        process.kill()
        process.wait()
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    assert outcome["failure"]["type"] == "cancelled"
    (checkpoint,) = (tmp_path / "output").glob("checkpoint-*")
    step = read_manifest(checkpoint, "checkpoint")["details"]["step"]
    assert f"checkpoint-{step}" in outcome["failure"]["message"]
