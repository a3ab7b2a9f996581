"""A program whose stage has gone to a newer lease writes nothing more into what both see."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import rl_data
from programs import ENVIRONMENT, sft_config, write_config
from tool_server import ToolServer, result, running, score

from lensmith_trainers.rl.rollout_log import RolloutLog
from lensmith_trainers.runtime import Failure, MetricsLog, publish_folder, read_manifest
from lensmith_trainers.training.scratch import empty_scratch


@pytest.fixture
def fences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the owners of a stage leave their fences; this process works under the fence 9."""
    folder = tmp_path / "stage" / "fences"
    folder.mkdir(parents=True)
    for fence in ("7", "9"):
        (folder / fence).touch()
    monkeypatch.setenv("LENSMITH_FENCE", "9")
    monkeypatch.setenv("LENSMITH_FENCES", str(folder))
    return folder


def publish(folder: Path, content: bytes) -> None:
    with publish_folder(folder / "checkpoint-4", "checkpoint", {"step": 4}) as partial:
        (partial / "weights").write_bytes(content)


def test_the_newest_lease_writes(fences: Path, tmp_path: Path) -> None:
    publish(tmp_path / "out", b"ours")
    assert read_manifest(tmp_path / "out" / "checkpoint-4", "checkpoint")["details"] == {"step": 4}
    MetricsLog(fences.parent / "metrics.jsonl", 0).append(1, {"loss": 1.0})
    assert json.loads((fences.parent / "metrics.jsonl").read_text())["step"] == 1


def test_a_newer_lease_keeps_an_older_one_from_publishing(fences: Path, tmp_path: Path) -> None:
    publish(tmp_path / "out", b"theirs")
    (fences / "10").touch()
    with pytest.raises(Failure, match="fence 9 after 10; checkpoint-4 was not written") as caught:
        publish(tmp_path / "out", b"ours")
    assert caught.value.type == "infrastructure"
    assert (tmp_path / "out" / "checkpoint-4" / "weights").read_bytes() == b"theirs"


def test_a_lease_that_ends_while_a_checkpoint_is_written_leaves_nothing_of_it(fences: Path, tmp_path: Path) -> None:
    def lose_it_meanwhile() -> None:
        with publish_folder(tmp_path / "out" / "checkpoint-4", "checkpoint", {"step": 4}) as partial:
            (partial / "weights").write_bytes(b"ours")
            (fences / "12").touch()

    with pytest.raises(Failure, match="fence 9 after 12"):
        lose_it_meanwhile()
    assert list((tmp_path / "out").iterdir()) == []


def test_two_owners_that_overlap_write_into_folders_of_their_own(
    fences: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def publish_beside_another() -> None:
        with publish_folder(out / "checkpoint-4", "checkpoint", {"step": 4}) as older:
            (older / "weights").write_bytes(b"older")
            (fences / "10").touch()
            monkeypatch.setenv("LENSMITH_FENCE", "10")
            publish(out, b"newer")
            monkeypatch.setenv("LENSMITH_FENCE", "9")
            # What an older owner had begun, the newer one has removed.
            (older / "more").write_bytes(b"older")

    with pytest.raises(FileNotFoundError):
        publish_beside_another()
    assert (out / "checkpoint-4" / "weights").read_bytes() == b"newer"
    assert [path.name for path in out.iterdir()] == ["checkpoint-4"]


def test_what_other_owners_left_unfinished_is_removed(fences: Path, tmp_path: Path) -> None:
    assert fences.is_dir()
    out = tmp_path / "out"
    for name in (".checkpoint-4.partial", ".checkpoint-4.7.partial", ".checkpoint-40.7.partial", ".saving.7"):
        (out / name).mkdir(parents=True)
    publish(out, b"ours")
    assert empty_scratch(out) == out / ".saving.9"
    assert sorted(path.name for path in out.iterdir()) == [".checkpoint-40.7.partial", "checkpoint-4"]


def test_the_curve_and_the_rollouts_belong_to_the_newer_lease(fences: Path) -> None:
    stage = fences.parent
    log = MetricsLog(stage / "metrics.jsonl", 0)
    log.append(1, {"loss": 1.0})
    rollouts = RolloutLog(stage / "rollouts", 0)
    before = (stage / "metrics.jsonl").read_bytes()
    (fences / "10").touch()
    with pytest.raises(Failure, match="step 2"):
        log.append(2, {"loss": 0.5})
    with pytest.raises(Failure, match="fence 9 after 10"):
        MetricsLog(stage / "metrics.jsonl", 0)
    with pytest.raises(Failure, match="the rollouts of step 2"):
        rollouts.write(2, "lensmith", [], [])
    with pytest.raises(Failure, match="a checkpoint"):
        empty_scratch(stage)
    assert (stage / "metrics.jsonl").read_bytes() == before
    assert not (stage / "rollouts").exists()


def test_who_cannot_read_the_fences_does_not_write(fences: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENSMITH_FENCES", str(fences / "nowhere"))
    with pytest.raises(FileNotFoundError):
        MetricsLog(fences.parent / "metrics.jsonl", 0)


def endless_rl(folder: Path, miniature: Path, server: ToolServer) -> dict[str, Any]:
    dataset = rl_data.write_rl_rows(folder / "rl.parquet", 6)
    of = {"toolServer": server.url, "dataset": str(dataset), "model": str(miniature)}
    return rl_data.rl_config(folder, **of, steps=10_000, saveEvery=10_000)


@pytest.mark.parametrize("program", ["sft", "rl"])
def test_a_program_ends_once_its_stage_has_another_owner(
    program: str, fences: Path, miniature_folder: Path, trajectories: Path, tmp_path: Path
) -> None:
    with running(ToolServer(lambda *_: result("no_output"), lambda _: score(False))) as server:
        config = (
            endless_rl(tmp_path, miniature_folder, server)
            if program == "rl"
            else sft_config(tmp_path, miniature_folder, trajectories, steps=100_000, saveEvery=100_000)
        )
        command = [sys.executable, "-m", f"lensmith_trainers.{program}", "--config", write_config(tmp_path, config)]
        environment = {**ENVIRONMENT, "LENSMITH_FENCE": "9", "LENSMITH_FENCES": str(fences)}
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            try:
                curve = Path(config["metricsFile"])
                deadline = time.monotonic() + 120
                while not (curve.is_file() and curve.stat().st_size):
                    assert time.monotonic() < deadline
                    assert process.poll() is None
                    time.sleep(0.05)
                (fences / "11").touch()
                assert process.wait(timeout=60) == 1
            finally:
                process.kill()
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    assert outcome["failure"]["type"] == "infrastructure"
    assert "fence 9 after 11" in outcome["failure"]["message"]
    assert not list(tmp_path.glob("*/checkpoint-*"))
    assert not list(tmp_path.glob("*/model"))
