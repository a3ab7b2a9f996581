"""Optimisation of a small model."""

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from lensmith_trainers.modeling import TokenSequence


def build_optimizer(model: nn.Module, learning_rate: float) -> torch.optim.AdamW:
    """AdamW (0.9, 0.98), weight decay 0.01, over the parameters that are trained."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(trained, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)


def clip_gradients(model: nn.Module, limit: float = 1.0) -> float:
    """Scales the gradients to a norm of at most `limit` and returns the norm before."""
    return float(torch.nn.utils.clip_grad_norm_(model.parameters(), limit))


def micro_batches(sequences: Sequence[TokenSequence], size: int) -> Iterator[list[TokenSequence]]:
    """Parts of at most `size` sequences of similar length, the longest first so that memory runs out early."""
    by_length = sorted(sequences, key=len, reverse=True)
    for start in range(0, len(by_length), size):
        yield by_length[start : start + size]
