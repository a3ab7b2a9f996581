"""Tool calls in JSON; the same rules and sentences as `episodes/parse-tool-call.ts`."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

_CALL = re.compile(r"<tool_call>((?:(?!<tool_call>).)*?)</tool_call>", re.DOTALL)
_MOST_INDEX = 2**53 - 1


@dataclass(frozen=True)
class ImageCall:
    """A call that works on one image of the trajectory."""

    image_index: int
    description: str


@dataclass(frozen=True)
class RefusedCall:
    """A call whose form cannot be read."""

    message: str


def malformed_call(tool: str) -> str:
    """Why a call's form is refused, as the model reads it."""
    return (
        f'expected one JSON object {{"name": "{tool}", "arguments": {{"code": text, "description": text, '
        '"image_index": whole number from 0}} between the marks'
    )


def unknown_image(images: int) -> str:
    """Why a call's image is refused."""
    if images == 0:
        return "there is no image that a call could name"
    return f"expected an image_index from 0 to {images - 1}, which are the images so far"


def parse_tool_call(text: str, tool: str) -> tuple[str, ImageCall | RefusedCall] | None:
    """The first complete tool call of a turn and its code; None where there is none.

    The code of a call that cannot be read is the text between its marks.
    """
    found = _CALL.search(text)
    if found is None:
        return None
    try:
        # Whole numbers as JavaScript reads them: Python has none of more than 4300 digits.
        return _read(json.loads(found.group(1), parse_constant=_refuse, parse_int=float), tool)
    except (ValueError, RecursionError):
        return found.group(1), RefusedCall(malformed_call(tool))


def _is_deep(value: Any, levels: int = 100) -> bool:  # noqa: ANN401 - JSON
    # Deeper than both loops read: the stack ends a little below 1000, JavaScript's reader has no end.
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(_is_deep(each, levels - 1) for each in inner))


def _read(call: Any, tool: str) -> tuple[str, ImageCall]:  # noqa: ANN401 - JSON
    if _is_deep(call):
        raise ValueError("nested too deep")
    values = call.get("arguments") if isinstance(call, dict) and call.get("name") == tool else None
    if not isinstance(values, dict):
        raise ValueError("no call of the tool")
    code, description, index = (values.get(name) for name in ("code", "description", "image_index"))
    if not isinstance(code, str) or not isinstance(description, str):
        raise ValueError("expected texts")
    return code, ImageCall(_whole(index), description)


def _whole(index: Any) -> int:  # noqa: ANN401 - JSON
    # Beyond the safe integers it is no number that a trace can hold.
    if not isinstance(index, float) or not index.is_integer() or not 0 <= index <= _MOST_INDEX:
        raise ValueError("expected a whole number from 0")
    return int(index)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
