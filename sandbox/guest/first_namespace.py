"""What a session's code sees before its first call."""

import contextlib
import io
import os
import sys
from types import ModuleType
from typing import Any

import numpy as np
from large_pages import make_room
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

# Where PIL itself takes an image for a bomb.
_MAXIMUM_PIXELS = 178_956_970
_MOST_AT_ONCE = 16 * 1024 * 1024
_JPEG_START = b"\xff\xd8\xff"


def _bytes_of_jpeg(path: str) -> bytes:
    """The content of a JPEG file; nothing for any other."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.pread(handle, len(_JPEG_START), 0) != _JPEG_START:
            return b""
        return os.read(handle, os.fstat(handle).st_size)
    finally:
        os.close(handle)


def _opened(path: str) -> Image.Image:
    """The same as `Image.open`, which touches more memory than a process just forked likes to copy for a JPEG."""
    with contextlib.suppress(Exception):
        content = _bytes_of_jpeg(path)
        if content:
            image = JpegImageFile(io.BytesIO(content), path)
            width, height = image.size
            # What is several pictures, or needs a warning, goes the common way, and so does what is broken.
            if "mp" not in image.info and width * height <= (Image.MAX_IMAGE_PIXELS or 0):
                image._exclusive_fp = True
                return image
    return Image.open(path)


def _decode(path: str) -> Image.Image:
    image = _opened(path)
    width, height = image.size
    if width * height > _MAXIMUM_PIXELS:
        raise ValueError(f"expected at most {_MAXIMUM_PIXELS} pixels, got {width} x {height}")
    # A pixel takes up to four bytes, and code mostly makes a smaller picture of it at once.
    make_room(width * height * 5)
    if type(image) is JpegImageFile:
        # All at once: pieces would be copied to join them.
        usual, image.decodermaxblock = image.decodermaxblock, _MOST_AT_ONCE
        image.load()
        image.decodermaxblock = usual
    else:
        image.load()
    return image


def first_namespace(config: dict[str, Any], folder: str) -> dict[str, Any]:
    """The namespace before the first call, that of `__main__`; `config["images"]` names files of `folder`.

    Raises ValueError or an error of PIL for an image that does not decode.
    """
    # Where pickle and others look for what the code defines.
    sys.modules["__main__"] = module = ModuleType("__main__")
    namespace = vars(module)
    namespace["np"], namespace["Image"] = np, Image
    for index, name in enumerate(config["images"]):
        image = _decode(f"{folder}/{name}")
        if index == 0:
            namespace[config["variables"]["image"]] = image
    return namespace
