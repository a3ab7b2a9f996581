"""The frame around a program: arguments, threads, stop signals, and `outcome.json` as the last act."""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from lensmith_trainers.runtime.config import Config, load_config
from lensmith_trainers.runtime.failure import classify_failure
from lensmith_trainers.runtime.files import write_json_atomic
from lensmith_trainers.runtime.stop import StopRequest


def run_program(
    schema: type[Config], body: Callable[[Config, StopRequest], dict[str, Any]], arguments: list[str] | None = None
) -> NoReturn:
    """Runs `body` with the configuration of `--config` and exits: 0 after success, 1 after a failure.

    What `body` returns becomes the outcome's details. A failure before the configuration is read goes to the
    `outcomeFile` that the file names, where it names one.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    path: Path = parser.parse_args(arguments).config
    stop = StopRequest()
    outcome_file: Path | None = None
    try:
        stop.install()
        outcome_file = _outcome_file(path)
        config = load_config(path, schema)
        # Libraries size their pools when they are first imported, and `body` imports them.
        os.environ["OMP_NUM_THREADS"] = str(config.threads)
        # Threads that spin while they wait slow a step tenfold as soon as another process wants a core.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        details = body(config, stop)
        with stop.deferred():
            _write(outcome_file, {"status": "succeeded", "details": details})
        code = 0
    except BaseException as error:  # noqa: BLE001 - every ending has to be classified and written
        with stop.deferred():
            code = _fail(outcome_file, error)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)


def _fail(outcome_file: Path | None, error: BaseException) -> int:
    if isinstance(error, SystemExit) and error.code in (0, None):
        error = RuntimeError("the program left before its end")
    failure_type, message = classify_failure(error)
    traceback.print_exception(error)
    _write(outcome_file, {"status": "failed", "failure": {"type": failure_type, "message": message}})
    return 1


def _write(outcome_file: Path | None, outcome: dict[str, Any]) -> None:
    if outcome_file is not None:
        write_json_atomic(outcome_file, outcome)


def _outcome_file(path: Path) -> Path | None:
    """Where to put the outcome even if the rest of the configuration is wrong."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    named = value.get("outcomeFile") if isinstance(value, dict) else None
    return Path(named) if isinstance(named, str) and Path(named).is_absolute() else None
