import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mnist_data import row, write_rows
from programs import ENVIRONMENT, metrics, run, sft_config, write_config

from lensmith_trainers.data import Conversation
from lensmith_trainers.modeling import LoadedModel, conversation_sequence, load_model
from lensmith_trainers.runtime import read_manifest
from lensmith_trainers.sft.collator import ConversationCollator
from lensmith_trainers.sft.encode_conversation import IGNORED


@pytest.fixture(scope="module")
def finished(miniature_folder: Path, trajectories: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an uninterrupted run of 5 steps."""
    folder = tmp_path_factory.mktemp("sft")
    outcome = run(folder, sft_config(folder, miniature_folder, trajectories, steps=5))
    assert outcome["status"] == "succeeded", outcome
    return folder


def test_collated_batch_trains_the_tokens_of_the_sequences(
    loaded: LoadedModel, conversations: list[Conversation]
) -> None:
    collator = ConversationCollator(conversations, loaded.processor, None)
    batch = collator([{"row": index} for index in range(len(conversations))])
    for index, conversation in enumerate(conversations):
        sequence = conversation_sequence(conversation, loaded.vocabulary, loaded.processor.image_processor)
        wanted = [token if loss else IGNORED for token, loss in zip(sequence.ids, sequence.loss, strict=True)]
        padding = batch["labels"].shape[1] - len(wanted)
        assert batch["labels"][index].tolist() == wanted + [IGNORED] * padding
        assert batch["attention_mask"][index].tolist() == [1] * len(wanted) + [0] * padding
    assert len(batch["image_grid_thw"]) == sum(len(conversation.images) for conversation in conversations)


def test_collator_gives_the_same_batch_with_and_without_its_cache(
    loaded: LoadedModel, conversations: list[Conversation]
) -> None:
    examples = [{"row": 0}, {"row": 3}]
    cached, uncached = (ConversationCollator(conversations, loaded.processor, None, size) for size in (1 << 20, 0))
    cached(examples)
    for name, tensor in uncached(examples).items():
        assert torch.equal(cached(examples)[name], tensor)


def test_checkpoints_and_model_are_artifacts(finished: Path) -> None:
    names = {path.name for path in (finished / "out").iterdir()}
    assert names == {"checkpoint-2", "checkpoint-4", "checkpoint-5", "model"}
    assert read_manifest(finished / "out" / "checkpoint-4", "checkpoint")["details"] == {"step": 4}
    assert read_manifest(finished / "out" / "model", "model")["details"]["steps"] == 5
    assert load_model(finished / "out" / "model", "cpu").processor.chat_template


def test_progress_ends_as_done_and_metrics_have_a_line_a_step(finished: Path) -> None:
    progress = json.loads((finished / "progress.json").read_text())
    assert (progress["phase"], progress["step"], progress["total"]) == ("done", 5, 5)
    assert [line["step"] for line in metrics(finished)] == [1, 2, 3, 4, 5]
    assert {"loss", "learningRate", "gradNorm", "tokenAccuracy"} <= metrics(finished)[0].keys()


def test_training_lowers_the_loss(finished: Path) -> None:
    losses = [line["loss"] for line in metrics(finished)]
    assert losses[-1] < losses[0]


def test_the_micro_batch_changes_nothing_of_what_is_learnt(miniature_folder: Path, tmp_path: Path) -> None:
    rows = [row([("user", "Say it."), ("assistant", "one two three " * times)], []) for times in (1, 9)]
    learnt = []
    for size in (2, 1):
        folder = tmp_path / str(size)
        folder.mkdir()
        path = write_rows(folder / "data.parquet", rows)
        changes = {"steps": 3, "batchSize": 2, "microBatchSize": size}
        assert run(folder, sft_config(folder, miniature_folder, path, **changes))["status"] == "succeeded"
        learnt.append([line[name] for line in metrics(folder) for name in ("loss", "gradNorm")])
    assert learnt[1] == pytest.approx(learnt[0], rel=1e-3)


def test_a_run_goes_on_from_a_checkpoint(
    finished: Path, miniature_folder: Path, trajectories: Path, tmp_path: Path
) -> None:
    checkpoint = shutil.copytree(finished / "out" / "checkpoint-2", tmp_path / "out" / "checkpoint-2")
    shutil.copy(finished / "metrics.jsonl", tmp_path / "metrics.jsonl")
    config = sft_config(tmp_path, miniature_folder, trajectories, steps=5, resumeFrom=str(checkpoint))
    assert run(tmp_path, config)["status"] == "succeeded"
    ours, reference = metrics(tmp_path), metrics(finished)
    assert [line["step"] for line in ours] == [1, 2, 3, 4, 5]
    assert [line["loss"] for line in ours] == pytest.approx([line["loss"] for line in reference], abs=1e-4)


def test_a_complete_checkpoint_only_gives_its_model(
    finished: Path, miniature_folder: Path, trajectories: Path, tmp_path: Path
) -> None:
    checkpoint = finished / "out" / "checkpoint-5"
    config = sft_config(tmp_path, miniature_folder, trajectories, steps=5, resumeFrom=str(checkpoint))
    assert run(tmp_path, config)["status"] == "succeeded"
    assert (tmp_path / "out" / "model" / "model.safetensors").read_bytes() == (
        checkpoint / "model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize(
    ("changes", "failure_type", "message"),
    [
        ({"model": "/nowhere"}, "config", "expected a folder with a Hugging Face model"),
        ({"microBatchSize": 3}, "config", "expected a divisor of batchSize 8, got 3"),
        ({"dataset": "/nowhere.parquet"}, "data", "found no file"),
        ({"resumeFrom": "/nowhere"}, "data", "expected a complete checkpoint"),
    ],
)
def test_wrong_input_is_refused(
    miniature_folder: Path,
    trajectories: Path,
    tmp_path: Path,
    changes: dict[str, object],
    failure_type: str,
    message: str,
) -> None:
    failure = run(tmp_path, sft_config(tmp_path, miniature_folder, trajectories, steps=1) | changes)["failure"]
    assert failure["type"] == failure_type
    assert message in failure["message"]


def test_an_image_that_does_not_decode_fails_as_data(miniature_folder: Path, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "bad.parquet", [row([("user", "<image>"), ("assistant", "a")], [b"no picture"])])
    failure = run(tmp_path, sft_config(tmp_path, miniature_folder, path, steps=1))["failure"]
    assert failure["type"] == "data"
    assert f"{path}, row 0, image 0" in failure["message"]


def test_weights_that_are_lost_end_training_before_their_checkpoint(
    miniature_folder: Path, trajectories: Path, tmp_path: Path
) -> None:
    changes = {"steps": 6, "saveEvery": 1, "learningRate": 1e30}
    failure = run(tmp_path, sft_config(tmp_path, miniature_folder, trajectories, **changes))["failure"]
    assert failure["type"] == "config"
    last = metrics(tmp_path)[-1]
    assert f"finite numbers at step {last['step']}" in failure["message"]
    assert last["step"] < 6
    assert not (tmp_path / "out" / f"checkpoint-{last['step']}").exists()


def test_sigterm_saves_a_checkpoint(miniature_folder: Path, trajectories: Path, tmp_path: Path) -> None:
    config = sft_config(tmp_path, miniature_folder, trajectories, steps=100000, saveEvery=100000)
    command = [sys.executable, "-m", "lensmith_trainers.sft", "--config", write_config(tmp_path, config)]
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
    assert json.loads((tmp_path / "outcome.json").read_text())["failure"]["type"] == "cancelled"
    assert read_manifest(tmp_path / "out" / f"checkpoint-{step}", "checkpoint")["details"] == {"step": step}
