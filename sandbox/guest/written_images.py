"""Image files that code writes."""

import os
import time
from dataclasses import dataclass, field

import time_stamps

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")

# CLOCK_REALTIME_COARSE of Linux, which no later time stamp of a file is behind.
_COARSE_CLOCK = 5

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
    # Which folder it was, and by the clock of time stamps when.
    place: tuple[int, int] | None = None
    moment: int = 0


def _place(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _files(since: int = 0) -> dict[str, _Stamp]:
    found = {}
    with os.scandir(".") as entries:
        for entry in entries:
            if entry.name.lower().endswith(_SUFFIXES) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                if status.st_ctime_ns >= since:
                    found[entry.name] = _stamp_of_file(status)
    return found


def look() -> Look:
    """Looks at the current folder."""
    status = os.stat(".")
    settled = time_stamps.settled(status, time.time_ns())
    moment = time.clock_gettime_ns(_COARSE_CLOCK)
    return Look(_stamp_of_folder(status) if settled else None, _files(), _place(status), moment)


def written_since(before: Look) -> list[str]:
    """The image files that are new or changed since, in the order in which they were written."""
    status = os.stat(".")
    if before.folder is not None and _stamp_of_folder(status) == before.folder:
        now = {name: _stamp_of_file(os.lstat(name)) for name in before.files}
    elif before.place is not None and _place(status) != before.place:
        # Code went there since: what the folder held before nobody has looked at.
        now, before = _files(before.moment), Look()
    else:
        now = _files()
    return sorted((name for name in now if now[name] != before.files.get(name)), key=lambda name: (now[name][2], name))
