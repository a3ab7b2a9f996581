"""What one optimiser step learns from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensmith_trainers.modeling import TokenSequence


@dataclass(frozen=True, eq=False)
class TrainedSequence:
    """An episode's tokens; the arrays have one entry a sampled token."""

    sequence: TokenSequence
    advantages: np.ndarray
    sampled_log_probs: np.ndarray


@dataclass(frozen=True)
class StepBatch:
    """Sequences in micro-batches of similar length."""

    micro_batches: tuple[tuple[TrainedSequence, ...], ...]
    tokens: int
    """Sampled tokens in all of them; the loss is their mean."""


def step_batch(sequences: Sequence[TrainedSequence], micro_batch_size: int, *, keep_all: bool) -> StepBatch:
    """Leaves out sequences that carry no advantage, unless `keep_all`, and sorts by length against padding."""
    used = [item for item in sequences if len(item.advantages) and (keep_all or np.any(item.advantages))]
    used.sort(key=lambda item: len(item.sequence))
    parts = [tuple(used[start : start + micro_batch_size]) for start in range(0, len(used), micro_batch_size)]
    return StepBatch(tuple(parts), sum(len(item.advantages) for item in used))
