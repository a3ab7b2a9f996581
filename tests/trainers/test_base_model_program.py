import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mnist_data import row, write_rows
from programs import ENVIRONMENT, base_config, metrics, run, write_config

from lensmith_trainers.modeling import load_model
from lensmith_trainers.runtime import read_manifest


@pytest.fixture(scope="module")
def finished(captions: Path, trajectories: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an uninterrupted run of 5 steps."""
    folder = tmp_path_factory.mktemp("base")
    outcome = run(folder, base_config(folder, captions, steps=5, corpus=[str(trajectories)]))
    assert outcome["status"] == "succeeded", outcome
    return folder


def test_checkpoints_and_model_are_artifacts(finished: Path) -> None:
    assert {path.name for path in (finished / "out").iterdir()} == {
        "checkpoint-2",
        "checkpoint-4",
        "checkpoint-5",
        "model",
    }
    assert read_manifest(finished / "out" / "checkpoint-4", "checkpoint")["details"] == {"step": 4}
    details = read_manifest(finished / "out" / "model", "model")["details"]
    parameters = load_model(finished / "out" / "model", "cpu").model.num_parameters()
    assert (details["steps"], details["parameters"]) == (5, parameters)
    assert 1_500_000 < parameters < 2_500_000


def test_progress_ends_as_done_and_metrics_have_a_line_a_step(finished: Path) -> None:
    progress = json.loads((finished / "progress.json").read_text())
    assert (progress["phase"], progress["step"], progress["total"]) == ("done", 5, 5)
    assert [line["step"] for line in metrics(finished)] == [1, 2, 3, 4, 5]
    assert {"loss", "learningRate", "gradNorm", "tokenAccuracy"} <= metrics(finished)[0].keys()


def test_the_tokenizer_covers_the_corpus(finished: Path) -> None:
    vocabulary = load_model(finished / "out" / "model", "cpu").vocabulary
    assert len(vocabulary.encode("input_image")) <= 4


def test_a_resumed_run_has_the_losses_of_the_uninterrupted_one(
    finished: Path, captions: Path, trajectories: Path, tmp_path: Path
) -> None:
    checkpoint = shutil.copytree(finished / "out" / "checkpoint-2", tmp_path / "out" / "checkpoint-2")
    shutil.copy(finished / "metrics.jsonl", tmp_path / "metrics.jsonl")
    config = base_config(tmp_path, captions, steps=5, corpus=[str(trajectories)], resumeFrom=str(checkpoint))
    assert run(tmp_path, config)["status"] == "succeeded"
    ours, reference = metrics(tmp_path), metrics(finished)
    assert [line["step"] for line in ours] == [1, 2, 3, 4, 5]
    assert ours[:2] == reference[:2]
    assert [line["at"] for line in ours[2:]] != [line["at"] for line in reference[2:]]
    assert [line["loss"] for line in ours] == pytest.approx([line["loss"] for line in reference], abs=1e-5)


def test_a_damaged_checkpoint_is_refused(finished: Path, captions: Path, tmp_path: Path) -> None:
    checkpoint = shutil.copytree(finished / "out" / "checkpoint-2", tmp_path / "checkpoint-2")
    with (checkpoint / "model.safetensors").open("ab") as file:
        file.write(b"x")
    failure = run(tmp_path, base_config(tmp_path, captions, steps=5, resumeFrom=str(checkpoint)))["failure"]
    assert failure["type"] == "data"
    assert "model.safetensors" in failure["message"]


def test_an_image_that_does_not_decode_fails_as_data(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "bad.parquet", [row([("user", "<image>"), ("assistant", "a")], [b"no picture"])])
    failure = run(tmp_path, base_config(tmp_path, path, steps=1))["failure"]
    assert failure["type"] == "data"
    assert f"{path}, row 0, image 0" in failure["message"]


def test_weights_that_are_lost_end_training_before_their_checkpoint(captions: Path, tmp_path: Path) -> None:
    failure = run(tmp_path, base_config(tmp_path, captions, steps=6, saveEvery=1, learningRate=1e30))["failure"]
    assert failure["type"] == "config"
    last = metrics(tmp_path)[-1]["step"]
    assert f"finite numbers at step {last}" in failure["message"]
    assert not (tmp_path / "out" / f"checkpoint-{last}").exists()


def test_sigterm_saves_a_checkpoint_from_which_the_run_goes_on(captions: Path, tmp_path: Path) -> None:
    config = base_config(tmp_path, captions, steps=100000, saveEvery=100000)
    command = [sys.executable, "-m", "lensmith_trainers.base_model", "--config", write_config(tmp_path, config)]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not (tmp_path / "metrics.jsonl").is_file():
            time.sleep(0.05)
        while time.monotonic() < deadline and len(metrics(tmp_path)) < 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=60) == 1
        finally:
            process.kill()
    step = metrics(tmp_path)[-1]["step"]
    failure = json.loads((tmp_path / "outcome.json").read_text())["failure"]
    assert failure["type"] == "cancelled"
    assert f"checkpoint-{step} was saved" in failure["message"]
    checkpoint = tmp_path / "out" / f"checkpoint-{step}"
    read_manifest(checkpoint, "checkpoint")
    again = base_config(tmp_path, captions, steps=step + 1, resumeFrom=str(checkpoint))
    assert run(tmp_path, again)["status"] == "succeeded"
