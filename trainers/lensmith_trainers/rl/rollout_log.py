"""`rollouts/step-<step>.jsonl.gz`: the scored traces of a step, one line an episode."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lensmith_trainers.runtime.fence import assert_owns_stage
from lensmith_trainers.runtime.files import write_bytes_atomic

_KEPT_BYTES = 256 * 1024 * 1024
_FAST = 1


class RolloutLog:
    """Writes a file a step (`rolloutLineSchema` of `domain/rollout.ts`); the oldest go when all exceed `kept_bytes`.

    Files past `resumed_step` are dropped first: their steps are taken again.
    """

    def __init__(self, folder: Path, resumed_step: int, *, kept_bytes: int = _KEPT_BYTES) -> None:
        self._folder = folder
        self._kept_bytes = kept_bytes
        assert_owns_stage(folder.name)
        for path in self._files():
            if _step(path) > resumed_step:
                path.unlink()

    def write(
        self,
        step: int,
        reward: str,
        groups: Sequence[Sequence[dict[str, Any]]],
        scores: Sequence[Sequence[dict[str, Any]]],
    ) -> None:
        """Keeps the episodes of an optimiser step, counted from 1, with their scores."""
        assert_owns_stage(f"the rollouts of step {step}")
        lines = [
            json.dumps(
                {"step": step, "group": group, "reward": reward, "episode": episode, "score": score}, ensure_ascii=False
            )
            for group, (episodes, scored) in enumerate(zip(groups, scores, strict=True))
            for episode, score in zip(episodes, scored, strict=True)
        ]
        content = gzip.compress("".join(line + "\n" for line in lines).encode(), _FAST, mtime=0)
        # Training can do without these files, so it does not wait for the disk.
        write_bytes_atomic(self._folder / f"step-{step:07d}.jsonl.gz", content, durable=False)
        self._rotate()

    def _rotate(self) -> None:
        files = self._files()
        held = sum(path.stat().st_size for path in files)
        for path in files[:-1]:
            if held <= self._kept_bytes:
                return
            held -= path.stat().st_size
            path.unlink()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("step-*.jsonl.gz"), key=_step)


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-").split(".")[0])
