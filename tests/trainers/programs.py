"""Starting the programs as the orchestrator does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(__file__).parents[2] / "trainers"),
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
}


def base_config(folder: Path, captions: Path, *, steps: int, **changes: Any) -> dict[str, Any]:
    """Configuration of `base_model` with everything in `folder`."""
    return _training(folder, steps) | {
        "program": "base_model",
        "captions": str(captions),
        "corpus": [],
        "batchSize": 8,
        **changes,
    }


def sft_config(folder: Path, model: Path, dataset: Path, *, steps: int, **changes: Any) -> dict[str, Any]:
    """Configuration of `sft` with everything in `folder`."""
    return _training(folder, steps) | {
        "program": "sft",
        "model": str(model),
        "dataset": str(dataset),
        "batchSize": 8,
        "microBatchSize": 4,
        **changes,
    }


def write_config(folder: Path, config: dict[str, Any]) -> str:
    """Writes `config.json` and returns its path."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return str(path)


def run(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Runs the configured program to its end and returns its outcome."""
    (folder / "outcome.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", f"lensmith_trainers.{config['program']}", "--config", write_config(folder, config)]
    done = subprocess.run(command, env=ENVIRONMENT, timeout=240, check=False, capture_output=True, text=True)
    outcome = json.loads((folder / "outcome.json").read_text())
    assert done.returncode == (0 if outcome["status"] == "succeeded" else 1), done.stderr
    return outcome


def metrics(folder: Path) -> list[dict[str, Any]]:
    """Lines of the metrics file."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def _training(folder: Path, steps: int) -> dict[str, Any]:
    return {
        "run": "test",
        "seed": 0,
        "threads": 1,
        "device": "cpu",
        "progressFile": str(folder / "progress.json"),
        "metricsFile": str(folder / "metrics.jsonl"),
        "outcomeFile": str(folder / "outcome.json"),
        "outputDir": str(folder / "out"),
        "resumeFrom": None,
        "steps": steps,
        "learningRate": 1e-3,
        "warmupSteps": 1,
        "saveEvery": 2,
    }
