"""Encoded images to pixels."""

import io

from PIL import Image, UnidentifiedImageError

from lensmith_trainers.runtime.failure import Failure


def decode_image(content: bytes, *, where: str) -> Image.Image:
    """The image in RGB, fully read.

    Raises:
        Failure: type `data` where the bytes are not an image or are cut off.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Failure(
            "data", f"expected a PNG or JPEG image of {len(content)} bytes, got {error}", where=where
        ) from error
