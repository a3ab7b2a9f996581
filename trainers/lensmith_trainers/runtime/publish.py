"""Folders that appear complete or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lensmith_trainers.runtime.fence import assert_owns_stage, own_fence
from lensmith_trainers.runtime.files import sync_path
from lensmith_trainers.runtime.manifest import ArtifactKind, write_manifest


@contextmanager
def publish_folder(final: Path, kind: ArtifactKind, details: dict[str, Any]) -> Iterator[Path]:
    """Yields an empty sibling folder to write into; on success it gets its manifest and takes the name `final`.

    `details` may be filled inside the block. An error inside leaves nothing, and an older `final` untouched.

    Raises:
        Failure: type `infrastructure` where the stage belongs to a newer lease, at the beginning or at the end.
    """
    assert_owns_stage(final.name)
    partial = final.with_name(own_name(f".{final.name}", ".partial"))
    replaced = final.with_name(f".{final.name}.replaced")
    for pattern in (replaced.name, f".{final.name}.partial", f".{final.name}.*.partial"):
        for remains in final.parent.glob(pattern):
            shutil.rmtree(remains)
    partial.mkdir(parents=True)
    try:
        yield partial
        for path in partial.rglob("*"):
            sync_path(path)
        write_manifest(partial, kind, details)
        sync_path(partial)
        # To write and to hash takes long enough for a lease to end meanwhile.
        assert_owns_stage(final.name)
        # A folder cannot be renamed over one that has files.
        if final.exists():
            final.rename(replaced)
        partial.rename(final)
    except BaseException:
        _remove(partial)
        raise
    sync_path(final.parent)
    _remove(replaced)


def own_name(name: str, suffix: str = "") -> str:
    """`name` with the fence of this program: two owners of a stage that overlap do not write into the same folder."""
    fence = own_fence()
    return f"{name}{suffix}" if fence is None else f"{name}.{fence}{suffix}"


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
