"""Image files that code writes."""

import os
import time
from dataclasses import dataclass, field

import time_stamps

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")

_Stamp = tuple[int, ...]


def _stamp_of_file(status: os.stat_result) -> _Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _stamp_of_folder(status: os.stat_result) -> _Stamp:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


@dataclass(frozen=True)
class Look:
    """The image files of a folder as they were: a stamp of each, and of the folder, which tells of new names."""

    folder: _Stamp | None = None
    files: dict[str, _Stamp] = field(default_factory=dict)


def _files() -> dict[str, _Stamp]:
    found = {}
    with os.scandir(".") as entries:
        for entry in entries:
            if entry.name.lower().endswith(_SUFFIXES) and entry.is_file(follow_symlinks=False):
                found[entry.name] = _stamp_of_file(entry.stat(follow_symlinks=False))
    return found


def look() -> Look:
    """Looks at the current folder."""
    status = os.stat(".")
    settled = time_stamps.settled(status, time.time_ns())
    return Look(_stamp_of_folder(status) if settled else None, _files())


def written_since(before: Look) -> list[str]:
    """The image files that are new or changed since, in the order in which they were written."""
    if before.folder is not None and _stamp_of_folder(os.stat(".")) == before.folder:
        now = {name: _stamp_of_file(os.lstat(name)) for name in before.files}
    else:
        now = _files()
    return sorted((name for name in now if now[name] != before.files.get(name)), key=lambda name: (now[name][2], name))
