"""`progress.json`: what a running program is doing, for the activity that watches it."""

import math
import time
from pathlib import Path
from typing import Literal

from lensmith_trainers.runtime.files import write_json_atomic

Phase = Literal["launching", "loading", "running", "saving", "stopping", "done"]


class ProgressFile:
    """Writes the progress of one program. `total` is the number of steps it has to do, 0 where there are none."""

    def __init__(self, path: str | Path, total: int) -> None:
        self._path = Path(path)
        self._total = total
        self._step = 0

    def report(self, phase: Phase, step: int | None = None, figures: dict[str, float] | None = None) -> None:
        """Replaces the file; without `step` the last one stands. Figures that are not finite are left out."""
        if step is not None:
            self._step = step
        finite = {name: float(value) for name, value in (figures or {}).items() if math.isfinite(value)}
        progress = {"phase": phase, "step": self._step, "total": self._total, "at": now(), "figures": finite}
        # A reader only needs the newest whole file, so a step does not wait for the disk.
        write_json_atomic(self._path, progress, durable=False)


def now() -> int:
    """Unix time, milliseconds."""
    return round(time.time() * 1000)
