"""How the next token is chosen."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sampling:
    """Options of one generation. Temperature 0 is greedy."""

    max_new_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: str | None = None
    """Equal seeds give equal tokens, whatever else is decoded beside them; None draws one."""
    stop: tuple[str, ...] = ()


def policy_log_probs(logits: Tensor, temperature: float, forbidden: Tensor) -> Tensor:
    """Log-probabilities of the policy that is sampled: scaled, and without the tokens that no turn may contain.

    Args:
        logits: (N, vocabulary)
        temperature: above 0; greedy decoding counts as 1.
        forbidden: indices of tokens.
    """
    return (logits.float() / (temperature or 1.0)).index_fill(-1, forbidden, -torch.inf).log_softmax(-1)


def choose_tokens(
    logits: Tensor, samplings: Sequence[Sampling], draws: Sequence[random.Random], forbidden: Tensor
) -> tuple[Tensor, Tensor]:
    """The next token of each row and its log-probability under the sampled policy, both (N,).

    A row takes one uniform number from its own generator, so its tokens do not depend on the other rows.
    """
    temperatures = torch.tensor([[sampling.temperature or 1.0] for sampling in samplings], device=logits.device)
    log_probs = (logits.float() / temperatures).index_fill(-1, forbidden, -torch.inf).log_softmax(-1)
    greedy = torch.tensor([sampling.temperature == 0 for sampling in samplings], device=logits.device)
    chosen = log_probs.argmax(-1)
    if not bool(greedy.all()):
        uniform = torch.tensor([draw.random() for draw in draws], dtype=torch.float64, device=logits.device)
        chosen = torch.where(greedy, chosen, _sample(log_probs, samplings, uniform))
    return chosen, log_probs.gather(1, chosen[:, None])[:, 0]


def _sample(log_probs: Tensor, samplings: Sequence[Sampling], uniform: Tensor) -> Tensor:
    """Inverts the cumulative distribution at `uniform`."""
    probabilities, order = log_probs.double().exp(), None
    if any(sampling.top_p < 1 for sampling in samplings):
        probabilities, order = probabilities.sort(-1, descending=True)
        before = probabilities.cumsum(-1) - probabilities
        limits = torch.tensor([[sampling.top_p] for sampling in samplings], device=log_probs.device)
        probabilities = probabilities.masked_fill(before >= limits, 0)
    cumulative = probabilities.cumsum(-1)
    index = torch.searchsorted(cumulative, uniform[:, None] * cumulative[:, -1:], right=True)
    # Rounding can push a draw past the last token that has any probability.
    last = probabilities.size(-1) - 1 - (probabilities > 0).flip(-1).int().argmax(-1, keepdim=True)
    index = torch.minimum(index, last)
    return (index if order is None else order.gather(1, index))[:, 0]
