"""Folders that appear complete or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lensmith_trainers.runtime.files import sync_path
from lensmith_trainers.runtime.manifest import ArtifactKind, write_manifest


@contextmanager
def publish_folder(final: Path, kind: ArtifactKind, details: dict[str, Any]) -> Iterator[Path]:
    """Yields an empty sibling folder to write into; on success it gets its manifest and takes the name `final`.

    `details` may be filled inside the block. An error inside leaves nothing, and an older `final` untouched.
    """
    partial, replaced = (final.with_name(f".{final.name}.{suffix}") for suffix in ("partial", "replaced"))
    _remove(partial)
    _remove(replaced)
    partial.mkdir(parents=True)
    try:
        yield partial
        for path in partial.rglob("*"):
            sync_path(path)
        write_manifest(partial, kind, details)
        sync_path(partial)
        # A folder cannot be renamed over one that has files.
        if final.exists():
            final.rename(replaced)
        partial.rename(final)
    except BaseException:
        _remove(partial)
        raise
    sync_path(final.parent)
    _remove(replaced)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
