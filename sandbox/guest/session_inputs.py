"""A session's input images: variables and files of its code."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_MAXIMUM_PIXELS = 400_000_000


def _decode(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    width, height = image.size
    if width * height > _MAXIMUM_PIXELS:
        raise ValueError(f"expected at most {_MAXIMUM_PIXELS} pixels, got {width} x {height}")
    image.load()
    return image


def _file_name(name: str) -> str:
    if Path(name).name != name:
        raise ValueError(f'expected a plain file name, got "{name}"')
    return name


def first_namespace(config: dict[str, Any], folder: str) -> dict[str, Any]:
    """The namespace before the first call; writes the images to `folder`, each under its name, as they came.

    Raises ValueError or an error of PIL for an image that does not decode.
    """
    names = config["variables"]
    namespace: dict[str, Any] = {"__name__": "__main__", "np": np, "Image": Image}
    for index, entry in enumerate(config["images"]):
        content = base64.b64decode(entry["data"])
        image = _decode(content)
        if index == 0:
            namespace[names["image"]] = image
        default = names["file"] if index == 0 else f"image_{index}"
        Path(folder, _file_name(entry.get("name") or default)).write_bytes(content)
    return namespace
