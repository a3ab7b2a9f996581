import math

import numpy as np
import pytest
import torch

from lensmith_trainers.rl.advantages import ScoredEpisode, group_advantages, token_advantages
from lensmith_trainers.rl.policy_loss import clipped_loss, kl_estimate


def test_advantages_by_hand() -> None:
    # Mean 1, deviation sqrt((1 + 1 + 0 + 0) / 4) = sqrt(0.5).
    scale = math.sqrt(0.5) + 0.1
    assert group_advantages([0, 2, 1, 1], [False] * 4, 0.1) == pytest.approx([-1 / scale, 1 / scale, 0, 0])


def test_masked_episodes_change_no_other() -> None:
    alone = group_advantages([0, 2], [False, False], 0.1)
    assert group_advantages([0, 99, 2], [False, True, False], 0.1) == pytest.approx([alone[0], 0, alone[1]])


@pytest.mark.parametrize("rewards", [[0.7] * 8, [0.1 + 0.2] * 3, [5.0]])
def test_a_group_without_spread_has_no_advantage(rewards: list[float]) -> None:
    assert group_advantages(rewards, [False] * len(rewards), 1e-4) == [0] * len(rewards)
    assert group_advantages(rewards, [True] * len(rewards), 1e-4) == [0] * len(rewards)


def test_turn_rewards_are_added_to_the_tokens_of_their_turn() -> None:
    group = [ScoredEpisode(1.0, (0.0, -0.5), False), ScoredEpisode(-1.0, (), False), ScoredEpisode(9.0, (1.0,), True)]
    first, second, third = token_advantages(group, [[0, 0, 1], [0], [0, 0]], 1.0)
    # Mean 0, deviation 1, epsilon 1.
    assert first.tolist() == pytest.approx([0.5, 0.5, 0.0])
    assert second.tolist() == pytest.approx([-0.5])
    assert third.tolist() == [0, 0]
    assert first.dtype == np.float32


def test_the_clipped_loss_by_hand() -> None:
    ratios, advantages = torch.tensor([1.0, 1.5, 1.5, 0.5, 0.5]), torch.tensor([2.0, 1.0, -1.0, 1.0, -1.0])
    loss = clipped_loss(ratios.log(), torch.zeros(5), advantages)
    assert loss.tolist() == pytest.approx([-2.0, -1.2, 1.5, -0.5, 0.8])


def test_the_kl_estimate_has_the_mean_of_the_exact_kl() -> None:
    policy, reference = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.5, 0.3, 0.2])
    exact = (policy * (policy / reference).log()).sum().item()
    estimates = kl_estimate(policy.log(), reference.log())
    assert (policy * estimates).sum().item() == pytest.approx(exact, abs=1e-6)
    assert estimates.min() >= 0
