"""The folder in which a session's code writes, and going back to what it held before a call."""

import contextlib
import os
import stat
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import time_stamps
from frames import Buffer

_MAXIMUM_BYTES = 256 * 1024 * 1024
_MAXIMUM_ENTRIES = 20_000
_NOTHING: dict[str, Buffer] = {}


class WorkFolderError(ValueError):
    """Raised where the folder holds what cannot be kept; the message says what."""


@dataclass(slots=True)
class _Entry:
    path: str
    mode: int
    # Inode, size and times; None where another change might leave them as they are.
    stamp: tuple[int, ...] | None = field(compare=False)
    # The bytes of a file, the target of a symbolic link, None for a folder.
    content: Buffer | str | None


def _read_file(path: str, size: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(handle, size + 1):
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
    finally:
        os.close(handle)


def _read_entry(path: str, status: os.stat_result, written: Buffer | None) -> Buffer | str | None:
    if stat.S_ISDIR(status.st_mode):
        return None
    if stat.S_ISLNK(status.st_mode):
        return str(Path(path).readlink())
    if stat.S_ISREG(status.st_mode):
        if written is not None and len(written) == status.st_size:
            return written
        return _read_file(path, status.st_size)
    raise WorkFolderError("the working folder holds what is no file, folder or link")


def _stamp_of(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _stamp(status: os.stat_result, now: int) -> tuple[int, ...] | None:
    return _stamp_of(status) if time_stamps.settled(status, now) else None


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
        self._kept: dict[str, _Entry] = {}
        # Of the folder itself; its entries have their own.
        self._stamp: tuple[int, ...] | None = None
        self._mode = 0o700

    def _entry(self, place: str, path: str, status: os.stat_result, now: int, written: Buffer | None) -> _Entry:
        """A file whose stamp is the one that was remembered is not read again."""
        stamp = _stamp(status, now)
        if stamp is not None:
            known = self._kept.get(path)
            if known is not None and known.stamp == stamp:
                return known
        return _Entry(path, stat.S_IMODE(status.st_mode), stamp, _read_entry(place, status, written))

    def _unchanged(self) -> bool:
        """Whether every stamp is the one that was remembered: a folder has another one after a change of its names."""
        if self._stamp is None or _stamp_of(os.lstat(self._path)) != self._stamp:
            return False
        return all(
            entry.stamp is not None and _stamp_of(os.lstat(f"{self._path}/{path}")) == entry.stamp
            for path, entry in self._kept.items()
        )

    def _read(self, written: dict[str, Buffer] = _NOTHING) -> dict[str, _Entry]:
        entries: dict[str, _Entry] = {}
        total = 0
        now = time.time_ns()
        pending = [""]
        while pending:
            parent = pending.pop()
            for found in os.scandir(f"{self._path}/{parent}"):
                status = found.stat(follow_symlinks=False)
                path = f"{parent}/{found.name}" if parent else found.name
                total += status.st_size
                if total > _MAXIMUM_BYTES or len(entries) >= _MAXIMUM_ENTRIES:
                    raise WorkFolderError(
                        f"expected at most {_MAXIMUM_BYTES} bytes in {_MAXIMUM_ENTRIES} files in the working folder"
                    )
                entry = self._entry(found.path, path, status, now, written.get(path))
                entries[path] = entry
                if entry.content is None:
                    pending.append(path)
        return entries

    def keep(self, written: dict[str, Buffer] = _NOTHING) -> None:
        """Remembers the content as it is. Raises WorkFolderError, and then still remembers what it did.

        `written` are files, by their paths in the folder, that this process wrote before any code could change them.
        """
        try:
            if self._unchanged():
                return
            status = os.lstat(self._path)
            stamp = _stamp(status, time.time_ns())
            self._kept = self._read(written)
            self._stamp = stamp
            self._mode = stat.S_IMODE(status.st_mode)
        except OSError as error:
            raise WorkFolderError(f"the working folder cannot be kept: {error.strerror}") from error

    def _same(self) -> bool:
        try:
            return self._unchanged() or (
                stat.S_IMODE(os.lstat(self._path).st_mode) == self._mode
                and list(self._read().values()) == list(self._kept.values())
            )
        except (OSError, WorkFolderError):
            return False

    def restore(self) -> None:
        """Goes back to what was remembered."""
        if self._same():
            return
        clear(self._path)
        for entry in self._kept.values():
            path = Path(self._path, entry.path)
            if entry.content is None:
                path.mkdir()
            elif isinstance(entry.content, str):
                path.symlink_to(entry.content)
            else:
                path.write_bytes(entry.content)
                path.chmod(entry.mode)
        # Last, because a folder may be closed to its owner too.
        for entry in reversed(self._kept.values()):
            if entry.content is None:
                Path(self._path, entry.path).chmod(entry.mode)
        Path(self._path).chmod(self._mode)

    def remove(self) -> None:
        """Removes the folder with all that is in it."""
        with contextlib.suppress(FileNotFoundError):
            clear(self._path)
            Path(self._path).rmdir()
