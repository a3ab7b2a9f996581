"""A session's input images, as files in its folder."""

from typing import Any

from frames import Buffer


def _file_name(name: str) -> str:
    if name in ("", ".", "..") or "/" in name:
        raise ValueError(f'expected a plain file name, got "{name}"')
    return name


def save_images(config: dict[str, Any], folder: str) -> tuple[dict[str, Any], dict[str, Buffer]]:
    """Writes the images, the parts of the configuration, to `folder`, each under its name, as they came.

    Returns the configuration with their names, and their contents by name. Raises ValueError for what is no plain file
    name, and for one that comes twice.
    """
    names: list[str] = []
    written: dict[str, Buffer] = {}
    for index, (entry, content) in enumerate(zip(config["images"], config.pop("parts", []), strict=True)):
        default = config["variables"]["file"] if index == 0 else f"image_{index}"
        name = _file_name(entry.get("name") or default)
        if name in written:
            raise ValueError(f'expected a file name of its own for each image, got "{name}" twice')
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content)
        names.append(name)
        written[name] = content
    return {**config, "images": names}, written
