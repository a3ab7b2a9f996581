"""A session's input images, as files in its folder."""

import base64
from pathlib import Path
from typing import Any


def _file_name(name: str) -> str:
    if Path(name).name != name:
        raise ValueError(f'expected a plain file name, got "{name}"')
    return name


def save_images(config: dict[str, Any], folder: str) -> dict[str, Any]:
    """Writes the images to `folder`, each under its name, as they came; returns the configuration with their names.

    Raises ValueError for what is no plain file name, and for content that is not base64.
    """
    names = []
    for index, entry in enumerate(config["images"]):
        default = config["variables"]["file"] if index == 0 else f"image_{index}"
        name = _file_name(entry.get("name") or default)
        Path(folder, name).write_bytes(base64.b64decode(entry["data"]))
        names.append(name)
    return {**config, "images": names}
