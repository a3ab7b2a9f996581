"""The loss of the policy over sampled tokens."""

import torch
from torch import Tensor

_CLIP = 0.2


def clipped_loss(log_probs: Tensor, sampled_log_probs: Tensor, advantages: Tensor) -> Tensor:
    """The clipped surrogate of PPO (arXiv 1707.06347, equation 7), a token each, (N,).

    The ratio is to the policy that sampled, so a difference between decoding and training is corrected too.
    """
    ratio = (log_probs - sampled_log_probs).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - _CLIP, 1 + _CLIP) * advantages)


def kl_estimate(log_probs: Tensor, reference_log_probs: Tensor) -> Tensor:
    """The estimator k3 of KL(policy ‖ reference) a token, (N,): exp(d) - d - 1 with d = reference - policy.

    It is never negative, and unbiased where the tokens were sampled from the policy
    (http://joschu.net/blog/kl-approx.html).
    """
    difference = reference_log_probs - log_probs
    return difference.expm1() - difference
