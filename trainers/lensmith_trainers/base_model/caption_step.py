"""One optimisation step on captions."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from lensmith_trainers.modeling import TokenSequence, trained_tokens
from lensmith_trainers.training import clip_gradients, micro_batches

# As many as fit a CPU's caches well; the result does not depend on it but for rounding.
_MICRO_BATCH = 52


@dataclass(frozen=True)
class StepResult:
    """Figures of a step: means over its trained tokens."""

    loss: float
    """Nats a token."""
    token_accuracy: float
    grad_norm: float
    tokens: int
    """Trained tokens."""
    seconds: float


def caption_step(
    model: PreTrainedModel, sequences: Sequence[TokenSequence], optimizer: torch.optim.Optimizer
) -> StepResult:
    """Gradient of the mean loss over all trained tokens, clipped to norm 1, and one step of the optimiser."""
    start = time.perf_counter()
    tokens = sum(sum(sequence.loss) for sequence in sequences)
    loss = right = 0.0
    for batch in micro_batches(sequences, _MICRO_BATCH):
        output = trained_tokens(model, batch)
        (-output.log_probs.sum() / tokens).backward()
        loss -= output.log_probs.sum().item() / tokens
        right += (output.logits.argmax(-1) == output.ids).sum().item()
    grad_norm = clip_gradients(model)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return StepResult(loss, right / tokens, grad_norm, tokens, time.perf_counter() - start)
