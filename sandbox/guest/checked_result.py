"""What a call reports comes from a process that the model's code could have changed."""

import re
from typing import Any

_OUTCOMES = {"ok", "no_output", "exception", "memory", "infrastructure"}
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)


def _is_size(value: object) -> bool:
    return type(value) is int and 0 < value < 1 << 31


def _is_text(value: object, cap: int) -> bool:
    return isinstance(value, str) and len(value) <= cap


def _is_error(error: object, cap: int) -> bool:
    if error is None:
        return True
    if not isinstance(error, dict) or error.keys() != {"type", "message", "line", "traceback"}:
        return False
    texts = all(_is_text(error[key], cap) for key in ("type", "message", "traceback"))
    return texts and (error["line"] is None or _is_size(error["line"]))


def _is_image(image: object) -> bool:
    if not isinstance(image, dict) or image.keys() != {"digest", "mediaType", "width", "height", "data"}:
        return False
    sizes = _is_size(image["width"]) and _is_size(image["height"])
    texts = isinstance(image["digest"], str) and image["mediaType"] == "image/png"
    return sizes and texts and isinstance(image["data"], str) and _BASE64.fullmatch(image["data"]) is not None


def checked_result(message: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any] | None:
    """The result in a message, or None where it is none that `run_code` gives within the limits."""
    result = {key: message.get(key) for key in ("outcome", "stdout", "stderr", "images", "error")}
    cap = limits["outputCharacters"]
    images = result["images"]
    fits = (
        isinstance(result["outcome"], str)
        and result["outcome"] in _OUTCOMES
        and _is_text(result["stdout"], cap)
        and _is_text(result["stderr"], cap)
        and isinstance(images, list)
        and len(images) <= limits["imagesPerCall"]
        and all(_is_image(image) for image in images)
        and _is_error(result["error"], cap)
        and (result["error"] is None) == (result["outcome"] in ("ok", "no_output"))
    )
    return result if fits else None
