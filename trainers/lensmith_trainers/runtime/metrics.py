"""`metrics.jsonl`: one line a step."""

import json
import math
from pathlib import Path
from typing import Any

from lensmith_trainers.runtime.fence import assert_owns_stage
from lensmith_trainers.runtime.files import write_bytes_atomic
from lensmith_trainers.runtime.progress import now


class MetricsLog:
    """Appends lines to a metrics file; lines past `resumed_step` are dropped first, 0 starts an empty file.

    Raises:
        Failure: type `infrastructure` where the stage belongs to a newer lease, whose curve it is by now.
    """

    def __init__(self, path: str | Path, resumed_step: int) -> None:
        self._path = Path(path)
        assert_owns_stage(self._path.name)
        kept = [line for line in _lines(self._path) if _step(line) in range(resumed_step + 1)] if resumed_step else []
        write_bytes_atomic(self._path, b"".join(line + b"\n" for line in kept))

    def append(self, step: int, figures: dict[str, Any]) -> None:
        """Adds the line of `step`; numbers that are not finite become null."""
        assert_owns_stage(f"step {step} of {self._path.name}")
        line = {"step": step, "at": now(), **figures}
        with self._path.open("ab") as file:
            file.write((json.dumps(_finite(line), ensure_ascii=False, allow_nan=False) + "\n").encode())


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n") if path.exists() else []


def _step(line: bytes) -> int:
    """The step of a line; -1 for a line that was cut off by a crash."""
    try:
        value = json.loads(line)
    except ValueError:
        return -1
    step = value.get("step") if isinstance(value, dict) else None
    return step if isinstance(step, int) else -1


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
