"""Image files that code writes."""

import os

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")

Stamps = dict[str, tuple[int, int, int]]


def stamps() -> Stamps:
    """Inode, size and time of change of each image file of the current folder."""
    found: Stamps = {}
    with os.scandir(".") as entries:
        for entry in entries:
            if entry.name.lower().endswith(_SUFFIXES) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found[entry.name] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def written_since(before: Stamps) -> list[str]:
    """The image files that are new or changed since, in the order in which they were written."""
    now = stamps()
    return sorted((name for name in now if now[name] != before.get(name)), key=lambda name: (now[name][2], name))
