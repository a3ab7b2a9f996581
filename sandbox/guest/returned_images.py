"""Images that code returns: found, brought to size, encoded."""

import math
from typing import Any

import cv2
import numpy as np
from PIL import Image

_MAXIMUM_PIXELS = 64_000_000
# Against Pillow at level 6 a photograph of a megapixel takes 36 ms instead of 330 and has an eighth more bytes, noise a
# fifth of the time and as many, a plot a third and two fifths more, a scanned page a sixth and half more.
_PNG = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
)
# The code may put other functions in their place.
_imencode, _convert = cv2.imencode, cv2.cvtColor


def image_of(value: Any) -> Image.Image | None:  # noqa: ANN401 - whatever the code's last expression is
    """A PIL image as it is; an array of 2 dimensions, or of 3 with 1, 3 or 4 channels, as an image; else None.

    Floating-point arrays hold 0 to 1. Integers hold 0 to 255, but 16-bit ones above that 0 to 65535.
    """
    if isinstance(value, Image.Image):
        return image_of(np.asarray(value)) if value.mode.startswith("I;16") else value
    if not isinstance(value, np.ndarray) or value.size == 0:
        return None
    if not (value.ndim == 2 or (value.ndim == 3 and value.shape[2] in (1, 3, 4))):
        return None
    if value.dtype == bool:
        pixels = value.astype(np.uint8) * 255
    elif np.issubdtype(value.dtype, np.floating):
        pixels = (np.nan_to_num(np.clip(value, 0, 1)) * 255).round().astype(np.uint8)
    elif value.dtype.kind == "u" and value.dtype.itemsize == 2 and value.max() > 255:
        pixels = (value >> 8).astype(np.uint8)
    elif np.issubdtype(value.dtype, np.integer):
        pixels = np.clip(value, 0, 255).astype(np.uint8)
    else:
        return None
    return Image.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)


def _size_for_model(width: int, height: int, limits: dict[str, Any]) -> tuple[int, int]:
    minimum, maximum = limits["minimumSide"], limits["maximumSide"]
    scale = max(1.0, minimum / min(width, height))
    scale = min(scale, maximum / max(width, height))
    if scale == 1.0:
        return width, height
    sides = round(width * scale), round(height * scale)
    # Rounded down, the short side of an image of the greatest aspect would be too short.
    least = max(1, math.ceil(max(sides) / limits["maximumAspect"]))
    return max(least, sides[0]), max(least, sides[1])


def _png(pixels: Any) -> memoryview:  # noqa: ANN401 - cv2 has a type of its own for arrays
    try:
        return memoryview(_imencode(".png", pixels, _PNG)[1])
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(error.err) from error
        raise


def encode(image: Image.Image, limits: dict[str, Any]) -> tuple[dict[str, Any], memoryview]:
    """The image as the model gets it, and its bytes: PNG, enlarged or shrunk to the limits with its ratio kept.

    Raises ValueError for an image of no size, of too many pixels, or too long for its width.
    """
    width, height = image.size
    if width == 0 or height == 0 or width * height > _MAXIMUM_PIXELS:
        raise ValueError(f"expected an image of 1 to {_MAXIMUM_PIXELS} pixels, got {width} x {height}")
    if max(width, height) > limits["maximumAspect"] * min(width, height):
        most = f"{limits['maximumAspect']:g}"
        raise ValueError(f"expected sides of at most 1 to {most}, got an image of {width} x {height}")
    grey = image.mode in ("L", "LA", "1", "I", "F")
    # The class may be the code's own; what this returns is not.
    plain = Image.Image.convert(image, "L" if grey else "RGB")
    size = _size_for_model(width, height, limits)
    if size != plain.size:
        plain = plain.resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(plain)
    content = _png(pixels if grey else _convert(pixels, cv2.COLOR_RGB2BGR))
    return {"mediaType": "image/png", "width": size[0], "height": size[1]}, content
