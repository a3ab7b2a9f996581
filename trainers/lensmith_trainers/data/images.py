"""Encoded images to pixels."""

import io

from PIL import Image, UnidentifiedImageError

from lensmith_trainers.runtime.failure import Failure

# The image processors of the Qwen-VL family refuse more.
_MOST_ASPECT = 200


def decode_image(content: bytes, *, where: str) -> Image.Image:
    """The image in RGB, fully read.

    Raises:
        Failure: type `data` where the bytes are not an image or are cut off, or it is too long for its width.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            decoded = image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Failure(
            "data", f"expected a PNG or JPEG image of {len(content)} bytes, got {error}", where=where
        ) from error
    if max(decoded.size) > _MOST_ASPECT * min(decoded.size):
        message = f"expected sides of at most 1 to {_MOST_ASPECT}, got an image of {decoded.width} x {decoded.height}"
        raise Failure("data", message, where=where)
    return decoded
