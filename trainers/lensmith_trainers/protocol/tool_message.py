"""The messages that a protocol sends: the question, and what came of a call."""

import re

from lensmith_trainers.protocol.message_parts import IMAGE, MessagePart
from lensmith_trainers.protocol.schema import CallOutcome, Protocol

_PLACES = re.compile(r"\{(question|stdout|error|seconds|images)\}")


def question_parts(protocol: Protocol, question: str, images: int) -> list[MessagePart]:
    """The first user message: its images, then the text."""
    return [*[IMAGE] * images, *_fill(protocol.question, {"question": question}, 0)]


def tool_message_parts(
    protocol: Protocol, outcome: CallOutcome, *, stdout: str, error: str, images: int, last_turn: bool
) -> list[MessagePart]:
    """The message after a call.

    Args:
        protocol: gives the template of the outcome.
        outcome: what the executor said.
        stdout: standard output; its last line break is left out.
        error: class and message of what was raised.
        images: number of images that came back; a template without a place for them shows none.
        last_turn: whether the model's next turn is its last.
    """
    values = {
        "stdout": stdout.removesuffix("\n"),
        "error": error,
        "seconds": repr(protocol.limits.call_seconds).removesuffix(".0"),
    }
    parts = _fill(protocol.tool_message.templates[outcome], values, images)
    if last_turn and protocol.last_turn_message is not None:
        parts.append(protocol.last_turn_message)
    return parts


def _fill(template: str, values: dict[str, str], images: int) -> list[MessagePart]:
    """Fills places in one pass, so that what is filled in is not filled again."""
    parts: list[MessagePart] = []
    end = 0

    def add(text: str) -> None:
        if text and parts and isinstance(parts[-1], str):
            parts[-1] += text
        elif text:
            parts.append(text)

    for place in _PLACES.finditer(template):
        add(template[end : place.start()])
        name, end = place.group(1), place.end()
        if name == "images":
            parts.extend([IMAGE] * images)
        else:
            add(values.get(name, place.group(0)))
    add(template[end:])
    return parts
