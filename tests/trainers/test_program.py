import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from programs import ENVIRONMENT, base_config, write_config

from lensmith_trainers.runtime import Failure, MetricsLog, ProgressFile, StopRequest, classify_failure

FAKE_PROGRAM = """
import sys, time
from pathlib import Path
from lensmith_trainers.runtime import BaseModelConfig, run_program

def body(config, stop):
    {body}

run_program(BaseModelConfig, body)
"""


def run_body(tmp_path: Path, body: str) -> tuple[int, dict]:
    config = write_config(tmp_path, base_config(tmp_path, tmp_path / "none.parquet", steps=1))
    program = FAKE_PROGRAM.format(body=body)
    done = subprocess.run([sys.executable, "-c", program, "--config", config], env=ENVIRONMENT, timeout=60, check=False)
    return done.returncode, json.loads((tmp_path / "outcome.json").read_text())


def test_details_of_success(tmp_path: Path) -> None:
    assert run_body(tmp_path, "return {'steps': 3}") == (0, {"status": "succeeded", "details": {"steps": 3}})


@pytest.mark.parametrize(
    ("body", "failure_type"),
    [
        ("raise MemoryError('4 GiB')", "out_of_memory"),
        ("import torch; torch.empty(1 << 60)", "out_of_memory"),
        ("raise OSError(28, 'No space left on device')", "disk_full"),
        ("raise RuntimeError('port in use')", "infrastructure"),
        ("raise SystemExit(3)", "infrastructure"),
    ],
)
def test_a_failure_is_classified(tmp_path: Path, body: str, failure_type: str) -> None:
    code, outcome = run_body(tmp_path, body)
    assert code == 1
    assert outcome["status"] == "failed"
    assert outcome["failure"]["type"] == failure_type


def test_a_wrong_configuration_still_gets_an_outcome(tmp_path: Path) -> None:
    config = write_config(tmp_path, {**base_config(tmp_path, tmp_path / "none.parquet", steps=1), "stepps": 1})
    command = [sys.executable, "-m", "lensmith_trainers.base_model", "--config", config]
    done = subprocess.run(command, env=ENVIRONMENT, timeout=60, check=False, capture_output=True)
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    assert done.returncode == 1
    assert outcome["failure"]["type"] == "config"
    assert "stepps: this key is unknown" in outcome["failure"]["message"]


def test_sigterm_outside_of_a_loop_ends_at_once_as_cancelled(tmp_path: Path) -> None:
    config = write_config(tmp_path, base_config(tmp_path, tmp_path / "none.parquet", steps=1))
    program = FAKE_PROGRAM.format(body="Path(config.output_dir).mkdir(); time.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", program, "--config", config], env=ENVIRONMENT) as process:
        deadline = time.monotonic() + 30
        while not (tmp_path / "out").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 1
    assert json.loads((tmp_path / "outcome.json").read_text())["failure"]["type"] == "cancelled"


def test_a_deferred_stop_is_seen_at_the_next_check() -> None:
    stop = StopRequest()
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    stop.install()
    try:
        with stop.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            with pytest.raises(Failure, match="checkpoint-3 was saved") as caught:
                stop.check("checkpoint-3 was saved")
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert caught.value.type == "cancelled"


@pytest.mark.parametrize(
    ("error", "failure_type"),
    [
        (Failure("data", "x"), "data"),
        (OSError(errno.EDQUOT, "quota"), "disk_full"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk_full"),
        (KeyboardInterrupt(), "cancelled"),
        (ValueError("x"), "infrastructure"),
    ],
)
def test_types_of_exceptions(error: BaseException, failure_type: str) -> None:
    assert classify_failure(error)[0] == failure_type


def test_a_full_disk_is_known_by_what_torch_says_of_it() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.save({"moments": torch.zeros(1_000_000)}, "/dev/full")
    assert classify_failure(caught.value)[0] == "disk_full"


def test_metrics_past_the_resumed_step_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    log = MetricsLog(path, 0)
    for step in range(1, 6):
        log.append(step, {"loss": step / 2})
    with path.open("a") as file:
        file.write('{"step": 3, "lo')
    log = MetricsLog(path, 3)
    log.append(4, {"loss": float("nan")})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [(1, 0.5), (2, 1.0), (3, 1.5), (4, None)]
    assert all(line["at"] > 1_500_000_000_000 for line in lines)


def test_progress_has_the_contract_fields(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    ProgressFile(path, 10).report("running", 4, {"loss": 0.5, "reward": float("inf")})
    progress = json.loads(path.read_text())
    assert progress.pop("at") > 1_500_000_000_000
    assert progress == {"phase": "running", "step": 4, "total": 10, "figures": {"loss": 0.5}}
