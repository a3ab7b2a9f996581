"""Files that are either whole or not there."""

import json
import os
from pathlib import Path
from typing import Any


def write_bytes_atomic(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replaces `path` in one step; `durable` also waits until the content is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_path(path.parent)


def write_json_atomic(path: Path, value: Any, *, durable: bool = True) -> None:  # noqa: ANN401 - any JSON value
    """Replaces `path` by `value` as JSON; numbers that JSON cannot hold are refused."""
    content = json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes_atomic(path, content.encode(), durable=durable)


def sync_path(path: Path) -> None:
    """Waits until a file's content or a folder's entries are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
