"""The folder in which a session's code writes, and going back to what it held before a call."""

import contextlib
import os
import stat
import uuid
from dataclasses import dataclass
from pathlib import Path

_MAXIMUM_BYTES = 256 * 1024 * 1024
_MAXIMUM_ENTRIES = 20_000


class WorkFolderError(ValueError):
    """Raised where the folder holds what cannot be kept; the message says what."""


@dataclass(frozen=True)
class _Entry:
    path: str
    mode: int
    # The bytes of a file, the target of a symbolic link, None for a folder.
    content: bytes | str | None


def _read_file(path: str) -> bytes:
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
        return file.read()


def _read_entry(path: str, status: os.stat_result) -> bytes | str | None:
    if stat.S_ISDIR(status.st_mode):
        return None
    if stat.S_ISLNK(status.st_mode):
        return str(Path(path).readlink())
    if stat.S_ISREG(status.st_mode):
        return _read_file(path)
    raise WorkFolderError("the working folder holds what is no file, folder or link")


def clear(folder: str) -> None:
    """Empties a folder, however deep it is: what lies below is lifted up before it is removed."""
    Path(folder).chmod(0o700)
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
                continue
            Path(entry.path).chmod(0o700)
            for inner in list(os.scandir(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    # A folder's link to its parent changes with the move, so it has to be writable.
                    Path(inner.path).chmod(0o700)
                    Path(inner.path).rename(Path(folder, uuid.uuid4().hex))
                else:
                    Path(inner.path).unlink()
            Path(entry.path).rmdir()


class WorkFolder:
    """Remembers a folder's content in this process's memory, where the session's code cannot reach it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._kept: list[_Entry] = []

    def _read(self) -> list[_Entry]:
        entries: list[_Entry] = []
        total = 0
        pending = [""]
        while pending:
            parent = pending.pop()
            for found in os.scandir(str(Path(self._path, parent))):
                status = found.stat(follow_symlinks=False)
                path = str(Path(parent, found.name))
                total += status.st_size
                if total > _MAXIMUM_BYTES or len(entries) >= _MAXIMUM_ENTRIES:
                    raise WorkFolderError(
                        f"expected at most {_MAXIMUM_BYTES} bytes in {_MAXIMUM_ENTRIES} files in the working folder"
                    )
                entry = _Entry(path, stat.S_IMODE(status.st_mode), _read_entry(found.path, status))
                entries.append(entry)
                if entry.content is None:
                    pending.append(path)
        return entries

    def keep(self) -> None:
        """Remembers the content as it is. Raises WorkFolderError, and then still remembers what it did."""
        try:
            self._kept = self._read()
        except OSError as error:
            raise WorkFolderError(f"the working folder cannot be kept: {error.strerror}") from error

    def restore(self) -> None:
        """Goes back to what was remembered."""
        clear(self._path)
        for entry in self._kept:
            path = Path(self._path, entry.path)
            if entry.content is None:
                path.mkdir()
            elif isinstance(entry.content, str):
                path.symlink_to(entry.content)
            else:
                path.write_bytes(entry.content)
                path.chmod(entry.mode)
        # Last, because a folder may be closed to its owner too.
        for entry in reversed(self._kept):
            if entry.content is None:
                Path(self._path, entry.path).chmod(entry.mode)

    def remove(self) -> None:
        """Removes the folder with all that is in it."""
        with contextlib.suppress(FileNotFoundError):
            clear(self._path)
            Path(self._path).rmdir()
