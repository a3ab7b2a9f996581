"""What a call reports comes from a process that the model's code could have changed."""

import hashlib
import struct
from typing import Any

_OUTCOMES = {"ok", "no_output", "exception", "memory", "infrastructure"}
_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
# Beyond 4 bytes a pixel: the frame of a PNG, and what deflate adds to noise.
_HEADROOM_BYTES = 65_536


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


def _checked_image(image: object, content: bytes, limits: dict[str, Any]) -> dict[str, Any] | None:
    """The image with the digest of its bytes; None where it is no PNG of the size it says, or too large for that."""
    if not isinstance(image, dict) or image.keys() != {"mediaType", "width", "height"}:
        return None
    width, height = image["width"], image["height"]
    if not (_is_size(width) and _is_size(height) and image["mediaType"] == "image/png"):
        return None
    if max(width, height) > limits["maximumSide"] or len(content) > 4 * width * height + _HEADROOM_BYTES:
        return None
    if content[:16] != _PNG_START or content[-12:] != _PNG_END or len(content) < 26:
        return None
    if struct.unpack_from(">II", content, 16) != (width, height) or content[24] != 8 or content[25] not in (0, 2):
        return None
    return {"digest": hashlib.sha256(content).hexdigest(), **image}


def most_commas(limits: dict[str, Any]) -> int:
    """Commas that the JSON of a result within the limits can have: each of its texts, and five for each image."""
    texts = ("stdout", "stderr", "type", "message", "traceback")
    return len(texts) * limits["outputCharacters"] + 5 * limits["imagesPerCall"] + 100


def checked_result(message: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any] | None:
    """The result in a message, or None where it is none that `run_code` gives within the limits.

    The bytes of its images are its parts.
    """
    result = {key: message.get(key) for key in ("outcome", "stdout", "stderr", "images", "error")}
    cap = limits["outputCharacters"]
    images, parts = result["images"], message.get("parts", [])
    fits = (
        isinstance(result["outcome"], str)
        and result["outcome"] in _OUTCOMES
        and _is_text(result["stdout"], cap)
        and _is_text(result["stderr"], cap)
        and isinstance(images, list)
        and len(images) == len(parts) <= limits["imagesPerCall"]
        and _is_error(result["error"], cap)
        and (result["error"] is None) == (result["outcome"] in ("ok", "no_output"))
    )
    if not fits:
        return None
    checked = [_checked_image(image, part, limits) for image, part in zip(images or [], parts, strict=True)]
    return None if None in checked else {**result, "images": checked, "parts": parts}
