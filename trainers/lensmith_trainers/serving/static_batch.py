"""A decoder for models that only Hugging Face's `generate` can run: what has joined is decoded to its end."""

from collections.abc import Callable, Sequence

from lensmith_trainers.rollout import Generation


class StaticBatch:
    """Runs `generate` on all that have joined."""

    def __init__(self, generate: Callable[[Sequence[Generation]], None]) -> None:
        self._generate = generate
        self._rows: list[Generation] = []

    def __len__(self) -> int:
        return len(self._rows)

    def join(self, generations: list[Generation]) -> None:
        """Takes in further generations."""
        self._rows += generations

    def step(self) -> list[Generation]:
        """Decodes all to their end."""
        self._generate(self._rows)
        return self.clear()

    def clear(self) -> list[Generation]:
        """Takes out everything."""
        rows, self._rows = self._rows, []
        return rows
