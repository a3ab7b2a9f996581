"""Log-probabilities of sampled tokens under a model."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lensmith_trainers.modeling import LoadedModel, TokenSequence, trained_tokens
from lensmith_trainers.rollout import has_fast_path, policy_log_probs
from lensmith_trainers.rollout.hf_inputs import hf_inputs


def sequence_log_probs(loaded: LoadedModel, sequences: Sequence[TokenSequence], temperature: float) -> Tensor:
    """Of all tokens with loss, flat, sequence by sequence (N,), under the policy that is sampled at `temperature`."""
    forbidden = torch.tensor(loaded.vocabulary.control_token_ids, device=loaded.model.device)
    if has_fast_path(loaded.model):
        tokens = trained_tokens(loaded.model, sequences)
        logits, ids = tokens.logits, tokens.ids
    else:
        logits, ids = _hf_logits(loaded, sequences)
    return policy_log_probs(logits, temperature, forbidden).gather(1, ids[:, None])[:, 0]


def _hf_logits(loaded: LoadedModel, sequences: Sequence[TokenSequence]) -> tuple[Tensor, Tensor]:
    inputs = hf_inputs(loaded, sequences)
    length = inputs["input_ids"].size(1)
    loss = torch.tensor(
        [sequence.loss + [False] * (length - len(sequence)) for sequence in sequences], device=loaded.model.device
    )
    logits = loaded.model(**inputs, use_cache=False).logits[:, :-1]
    return logits[loss[:, 1:]], inputs["input_ids"][:, 1:][loss[:, 1:]]
