"""From tasks to what a step learns from."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lensmith_trainers.rl.advantages import ScoredEpisode, token_advantages
from lensmith_trainers.rl.await_judge import await_judge
from lensmith_trainers.rl.rollout_log import RolloutLog
from lensmith_trainers.rl.step_batch import StepBatch, TrainedSequence, step_batch
from lensmith_trainers.rl.step_metrics import episode_figures
from lensmith_trainers.rollout import Collector, Episode, RolloutSeconds, RolloutTask, score_groups
from lensmith_trainers.runtime.config import RlConfig

# Longer than the server's deadline: a request that is sent again gets what was done meanwhile.
_SCORE_PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class StepRollouts:
    """Scored episodes of one step."""

    batch: StepBatch
    sample: tuple[TrainedSequence, ...]
    """An episode of each group, whatever its reward: a fair sample of the policy."""
    figures: dict[str, Any]
    """The part of `rlMetricsSchema` that is about episodes."""
    seconds: dict[str, float]


@dataclass(frozen=True)
class RolloutSource:
    """Rolls out groups of episodes and has them scored."""

    collector: Collector
    config: RlConfig
    cancelled: Callable[[], bool]
    waiting: Callable[[int, int], None]
    """Told how many episodes of a step wait for the judge."""
    log: RolloutLog | None = None
    """Keeps the scored traces for the reward laboratory."""

    def roll_out(self, step: int, tasks: Sequence[RolloutTask]) -> StepRollouts:
        """Episodes of a step. Equal seed, step, tasks and weights give equal episodes.

        Args:
            step: optimiser steps that are done.
            tasks: one an episode; the episodes of a group stand together.

        Raises:
            Failure: `infrastructure` where the scores do not come, or the judge stays away.
        """
        config, size = self.config, self.config.group_size
        self.collector.seconds = seconds = RolloutSeconds()
        names = [f"{config.run}:{config.seed}:{step}:{index // size}:{index % size}" for index in range(len(tasks))]
        episodes = self.collector.collect(tasks, names)
        traces = [episode.trace(config.model) for episode in episodes]
        started = time.monotonic()
        grouped = [traces[start : start + size] for start in range(0, len(traces), size)]
        images = _images(episodes, size) if config.scored_images else []

        def score() -> list[list[dict[str, Any]]]:
            return score_groups(
                self.collector.http,
                config.reward,
                grouped,
                patience_seconds=_SCORE_PATIENCE_SECONDS,
                cancelled=self.cancelled,
                images=images,
                run=config.run if config.judged else None,
            )

        scores = await_judge(score, cancelled=self.cancelled, waiting=lambda count: self.waiting(step, count))
        if self.log:
            self.log.write(step + 1, config.reward, grouped, scores)
        scoring = time.monotonic() - started
        trained = [
            sequence
            for group, scored in enumerate(scores)
            for sequence in _trained(episodes[group * size : (group + 1) * size], scored, config.advantage_epsilon)
        ]
        kept = [
            sequence
            for sequence, score in zip(trained, (score for group in scores for score in group), strict=True)
            if not score["masked"]
        ]
        return StepRollouts(
            step_batch(kept, config.micro_batch_size, keep_all=config.kl_coefficient > 0),
            tuple(sequence for sequence in trained[::size] if len(sequence.advantages)),
            episode_figures(traces, [score for group in scores for score in group]),
            {"generation": seconds.generation, "tools": seconds.tools, "scoring": scoring},
        )


def _images(episodes: Sequence[Episode], size: int) -> list[dict[str, bytes]]:
    found = [episode.scored_images() for episode in episodes]
    if not any(found):
        return []
    groups = range(0, len(found), size)
    return [{key: value for images in found[at : at + size] for key, value in images.items()} for at in groups]


def _trained(episodes: Sequence[Episode], scores: Sequence[dict[str, Any]], epsilon: float) -> list[TrainedSequence]:
    group = [ScoredEpisode(score["reward"], tuple(score["turnRewards"]), score["masked"]) for score in scores]
    advantages = token_advantages(group, [episode.turn_of_token for episode in episodes], epsilon)
    return [
        TrainedSequence(episode.sequence, values, np.asarray(episode.log_probs, np.float32))
        for episode, values in zip(episodes, advantages, strict=True)
    ]
