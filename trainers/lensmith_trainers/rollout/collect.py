"""Rolling out many episodes at once: all go through a turn in one batch, then their calls run side by side."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from lensmith_trainers.modeling import LoadedModel
from lensmith_trainers.protocol import LoadedProtocol
from lensmith_trainers.rollout.episode import Episode, WantedCall
from lensmith_trainers.rollout.generate import Generate
from lensmith_trainers.rollout.generation import Generation
from lensmith_trainers.rollout.json_http import JsonHttp
from lensmith_trainers.rollout.retry import GaveUp
from lensmith_trainers.rollout.sampling import Sampling
from lensmith_trainers.rollout.sent_images import SentImages
from lensmith_trainers.rollout.task import RolloutTask
from lensmith_trainers.rollout.tool_session import ToolSession
from lensmith_trainers.runtime.failure import Failure


@dataclass(frozen=True)
class RolloutOptions:
    """Limits of the rollouts of one step."""

    temperature: float
    max_new_tokens: int
    max_context_tokens: int
    patience_seconds: float = 60.0
    """How long one call waits for a tool server that is away."""


@dataclass
class RolloutSeconds:
    """Wall time by part."""

    generation: float = 0.0
    tools: float = 0.0


@dataclass
class Collector:
    """Rolls out episodes with one model, one protocol and one tool server."""

    loaded: LoadedModel
    generate: Generate
    protocol: LoadedProtocol
    http: JsonHttp
    threads: ThreadPoolExecutor
    options: RolloutOptions
    cancelled: Callable[[], bool]
    seconds: RolloutSeconds = field(default_factory=RolloutSeconds)
    sent: SentImages = field(default_factory=SentImages)

    def collect(self, tasks: Sequence[RolloutTask], identifiers: Sequence[str]) -> list[Episode]:
        """Rolls out one episode a task. `identifiers` are unique, name the episodes and seed their sampling."""
        episodes = [
            Episode(task, self.loaded, self.protocol, identifier)
            for task, identifier in zip(tasks, identifiers, strict=True)
        ]
        rules = self.protocol.protocol
        sessions = [
            ToolSession(
                self.http,
                rules,
                [image.content for image in task.images],
                self.cancelled,
                self.options.patience_seconds,
                self.sent,
            )
            for task in tasks
        ]
        try:
            for _ in range(rules.limits.turns):
                wanted = self._turn(episodes)
                self._calls([(episodes[index], sessions[index], call) for index, call in wanted])
        finally:
            started = time.monotonic()
            list(self.threads.map(ToolSession.close, [session for session in sessions if session.is_open]))
            self.seconds.tools += time.monotonic() - started
        return episodes

    def _turn(self, episodes: list[Episode]) -> list[tuple[int, WantedCall]]:
        """One turn of all episodes that go on; returns whose calls are to be run."""
        started, clock = time.time(), time.monotonic()
        generations: dict[int, Generation] = {}
        for index, episode in enumerate(episodes):
            if episode.ending is not None:
                continue
            sequence = episode.sequence.copy()
            sequence.open_assistant_turn()
            if len(sequence) + self.options.max_new_tokens > self.options.max_context_tokens:
                episode.ending = "context_limit"
                continue
            seed = f"{episode.identifier}/{len(episode.turns)}"
            sampling = Sampling(self.options.max_new_tokens, self.options.temperature, seed=seed)
            generations[index] = Generation(sequence, sampling)
        if generations:
            self.generate(list(generations.values()))
        wanted = []
        for index, generation in generations.items():
            prompt_tokens = len(generation.sequence)
            episodes[index].sequence = generation.sequence
            call = episodes[index].take_turn(generation, started, prompt_tokens)
            if call is not None:
                wanted.append((index, call))
        self.seconds.generation += time.monotonic() - clock
        return wanted

    def _calls(self, calls: list[tuple[Episode, ToolSession, WantedCall]]) -> None:
        started = time.monotonic()
        results = list(self.threads.map(lambda call: _execute(call[1], call[2]), calls))
        for (episode, _, call), result in zip(calls, results, strict=True):
            if isinstance(result, Exception):
                episode.fail("sandbox_error", "infrastructure", str(result))
                continue
            try:
                episode.take_result(call.code, result)
            except Failure as error:
                episode.fail("sandbox_error", "infrastructure", str(error))
        self.seconds.tools += time.monotonic() - started


def _execute(session: ToolSession, call: WantedCall) -> dict[str, Any] | Exception:
    try:
        return session.execute(call.code, call.image)
    except (GaveUp, ValueError) as error:
        return error
