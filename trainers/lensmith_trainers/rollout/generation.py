"""One generation: what is asked, and what has been generated so far."""

import random
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from lensmith_trainers.rollout.sampling import Sampling

FinishReason = Literal["stop", "length"]


class TurnVocabulary(Protocol):
    """What decoding asks of a vocabulary; `modeling.Vocabulary` has it."""

    end_of_turn_id: int
    pad_id: int

    @property
    def control_token_ids(self) -> list[int]:
        """Tokens that a turn must not contain, other than its end."""
        ...

    def decode(self, ids: list[int]) -> str:
        """Text without control tokens."""
        ...


@dataclass(eq=False)
class Generation:
    """What follows on `sequence`, a `TokenSequence` or other prompt that knows its `vocabulary`; it is not changed."""

    sequence: Any
    sampling: Sampling
    ids: list[int] = field(default_factory=list)
    """Sampled tokens, the end of the turn included where the model wrote one."""
    log_probs: list[float] = field(default_factory=list)
    """Of each sampled token, under the policy that sampled it (temperature included)."""
    finish_reason: FinishReason | None = None
    stopped_at: int | None = None
    """Index in the text where a stop text begins."""
    draws: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draws = random.Random(self.sampling.seed)

    @property
    def vocabulary(self) -> TurnVocabulary:
        """The vocabulary of the prompt."""
        return self.sequence.vocabulary

    @property
    def text(self) -> str:
        """The turn without control tokens, cut before a stop text."""
        return self.vocabulary.decode(self.ids)[: self.stopped_at]

    def append(self, token: int, log_prob: float) -> bool:
        """Takes a token; true where it was the last."""
        self.ids.append(token)
        self.log_probs.append(log_prob)
        if token == self.vocabulary.end_of_turn_id:
            self.finish_reason = "stop"
        elif self.sampling.stop and (place := self._find_stop()) is not None:
            self.finish_reason, self.stopped_at = "stop", place
        elif len(self.ids) >= self.sampling.max_new_tokens:
            self.finish_reason = "length"
        return self.finish_reason is not None

    def _find_stop(self) -> int | None:
        text = self.vocabulary.decode(self.ids)
        return min((place for stop in self.sampling.stop if (place := text.find(stop)) >= 0), default=None)
