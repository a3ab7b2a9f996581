"""The policy as it was before RL."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from lensmith_trainers.modeling import LoadedModel, TokenSequence
from lensmith_trainers.rl.sequence_log_probs import sequence_log_probs


class ReferencePolicy:
    """A frozen copy of the model; take it before the first step, and before a checkpoint is loaded."""

    def __init__(self, loaded: LoadedModel, temperature: float) -> None:
        frozen = copy.deepcopy(loaded.model).requires_grad_(False).eval()
        self._loaded = LoadedModel(frozen, loaded.processor, loaded.vocabulary)
        self._temperature = temperature

    @torch.no_grad()
    def log_probs(self, sequences: Sequence[TokenSequence]) -> Tensor:
        """Of all tokens with loss, flat, sequence by sequence (N,)."""
        return sequence_log_probs(self._loaded, sequences, self._temperature)
