"""What the server asks of a model."""

from typing import Protocol

from lensmith_trainers.rollout import Generation
from lensmith_trainers.serving.chat_request import ChatMessage


class Prompt(Protocol):
    """Tokens up to where the answer begins."""

    def __len__(self) -> int: ...


class Decoder(Protocol):
    """Generations that are decoded together."""

    def __len__(self) -> int: ...

    def join(self, generations: list[Generation]) -> None:
        """Takes in further generations."""

    def step(self) -> list[Generation]:
        """Goes on for a while; returns those that ended."""
        ...

    def clear(self) -> list[Generation]:
        """Takes out everything that is being decoded."""
        ...


class Engine(Protocol):
    """A loaded model."""

    def prompt(self, messages: list[ChatMessage]) -> Prompt:
        """Renders a conversation.

        Raises:
            ApiError: 400 for what the model cannot read.
        """
        ...

    def decoder(self) -> Decoder:
        """A new decoder; it is used by one thread."""
        ...

    def finished(self, generation: Generation) -> None:
        """Called for each generation that ended."""
