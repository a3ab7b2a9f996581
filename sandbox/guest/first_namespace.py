"""What a session's code sees before its first call."""

from typing import Any

import numpy as np
from large_pages import make_room
from PIL import Image

# Where PIL itself takes an image for a bomb.
_MAXIMUM_PIXELS = 178_956_970


def _decode(path: str) -> Image.Image:
    image = Image.open(path)
    width, height = image.size
    if width * height > _MAXIMUM_PIXELS:
        raise ValueError(f"expected at most {_MAXIMUM_PIXELS} pixels, got {width} x {height}")
    # A pixel takes up to four bytes, and code mostly makes a smaller picture of it at once.
    make_room(width * height * 5)
    image.load()
    return image


def first_namespace(config: dict[str, Any], folder: str) -> dict[str, Any]:
    """The namespace before the first call; `config["images"]` names files of `folder`.

    Raises ValueError or an error of PIL for an image that does not decode.
    """
    namespace: dict[str, Any] = {"__name__": "__main__", "np": np, "Image": Image}
    for index, name in enumerate(config["images"]):
        image = _decode(f"{folder}/{name}")
        if index == 0:
            namespace[config["variables"]["image"]] = image
    return namespace
