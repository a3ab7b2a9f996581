"""A message as texts and images in turn, so that no text can be taken for an image's place."""

from collections.abc import Sequence
from typing import Final, Literal

from lensmith_trainers.data.conversation import IMAGE_MARK

IMAGE: Final = 0
"""Stands for the next image of a message."""

MessagePart = str | Literal[0]


def parts_text(parts: Sequence[MessagePart]) -> str:
    """The text of a trace: `{images}` where images stand."""
    text, previous = "", None
    for part in parts:
        if part == IMAGE:
            text += "" if previous == IMAGE else "{images}"
        else:
            text += str(part)
        previous = part
    return text


def parts_content(parts: Sequence[MessagePart]) -> str:
    """The content of a `Message`; an image mark inside a text is broken by a space, so that it stands for nothing."""
    broken = f"{IMAGE_MARK[0]} {IMAGE_MARK[1:]}"
    return "".join(IMAGE_MARK if part == IMAGE else str(part).replace(IMAGE_MARK, broken) for part in parts)
