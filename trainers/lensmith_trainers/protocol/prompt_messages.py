"""A row's own prompt, in place of the protocol's system prompt and question."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lensmith_trainers.data.conversation import IMAGE_MARK
from lensmith_trainers.protocol.message_parts import IMAGE, MessagePart

_ROLES: Final = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class PromptMessage:
    """A message of a prompt as its places."""

    role: str
    parts: tuple[MessagePart, ...]

    @property
    def images(self) -> int:
        """How many images it takes."""
        return sum(part == IMAGE for part in self.parts)


def prompt_messages(prompt: Sequence[tuple[str, str]], images: int) -> tuple[PromptMessage, ...]:
    """Roles and contents as message parts; `<image>` in a content marks where the next image of the row stands.

    A prompt without marks shows the images before the text of its first user message.

    Raises:
        ValueError: where the prompt is empty or ends with the model's turn, a role is unknown, or the marks are neither
            none nor as many as the images.
    """
    messages = [PromptMessage(_known(role), _parts(content)) for role, content in prompt]
    if not messages or messages[-1].role == "assistant":
        came = messages[-1].role if messages else "none"
        raise ValueError(f"expected at least one message, the last one not of the assistant, got {came}")
    marks = sum(message.images for message in messages)
    if marks == images:
        return tuple(messages)
    if marks:
        raise ValueError(f"expected as many marks {IMAGE_MARK} as the row has images ({images}), got {marks}")
    first = next((index for index, message in enumerate(messages) if message.role == "user"), None)
    if first is None:
        raise ValueError("expected a user message for the images, got none")
    messages[first] = PromptMessage("user", (*([IMAGE] * images), *messages[first].parts))
    return tuple(messages)


def _known(role: str) -> str:
    if role in _ROLES:
        return role
    raise ValueError(f'expected the roles {", ".join(_ROLES)}, got "{role}"')


def _parts(content: str) -> tuple[MessagePart, ...]:
    parts: list[MessagePart] = []
    for index, text in enumerate(content.split(IMAGE_MARK)):
        if index:
            parts.append(IMAGE)
        if text:
            parts.append(text)
    return tuple(parts)
