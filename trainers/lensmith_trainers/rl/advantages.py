"""Group-relative advantages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ScoredEpisode:
    """What the gradient needs of a score."""

    reward: float
    turn_rewards: tuple[float, ...]
    masked: bool


def group_advantages(rewards: Sequence[float], masked: Sequence[bool], epsilon: float) -> list[float]:
    """GRPO's advantage (arXiv 2402.03300, section 4.1.2): (r - mean) / (std + epsilon), std of the population.

    Masked episodes count in neither mean nor std and get 0.
    """
    values = np.asarray(rewards, dtype=np.float64)
    kept = ~np.asarray(masked, dtype=bool)
    advantages = np.zeros_like(values)
    if kept.any():
        chosen = values[kept]
        advantages[kept] = (chosen - chosen.mean()) / (chosen.std() + epsilon)
    # What is left of rounding in a group without spread must not count as a spread.
    advantages[np.abs(advantages) < 1e-9] = 0.0
    return advantages.tolist()


def token_advantages(
    group: Sequence[ScoredEpisode], turns_of_tokens: Sequence[Sequence[int]], epsilon: float
) -> list[np.ndarray]:
    """The advantage of every sampled token of a group's episodes, float32.

    Args:
        group: the scores.
        turns_of_tokens: for each episode the turn of each sampled token.
        epsilon: floor added to the standard deviation.

    Returns:
        The episode's advantage, plus the reward of the token's turn; zeros for a masked episode.
    """
    advantages = group_advantages([item.reward for item in group], [item.masked for item in group], epsilon)
    result = []
    for item, advantage, turns in zip(group, advantages, turns_of_tokens, strict=True):
        by_turn = np.zeros(max([len(item.turn_rewards), *(turn + 1 for turn in turns)]), np.float32)
        if not item.masked:
            by_turn[: len(item.turn_rewards)] = item.turn_rewards
            by_turn += np.float32(advantage)
        result.append(by_turn[np.asarray(turns, dtype=np.int64)])
    return result
