"""`manifest.json`: what makes a folder an artifact. The format is that of `domain/artifact.ts`."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from lensmith_trainers.runtime.failure import Failure
from lensmith_trainers.runtime.files import write_json_atomic

MANIFEST = "manifest.json"
ArtifactKind = Literal["dataset", "model", "checkpoint", "evaluation", "report"]


def write_manifest(folder: Path, kind: ArtifactKind, details: dict[str, Any]) -> str:
    """Lists and hashes all files below `folder`, writes the manifest and returns the digest."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST]
    files = [_entry(folder, path) for path in paths]
    # JavaScript compares strings by UTF-16 code units.
    files.sort(key=lambda entry: entry["path"].encode("utf-16-be"))
    digest = _digest(files)
    created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    manifest = {"version": 1, "kind": kind, "digest": digest, "files": files, "createdAt": created, "details": details}
    write_json_atomic(folder / MANIFEST, manifest)
    return digest


def read_manifest(folder: Path, kind: ArtifactKind) -> dict[str, Any]:
    """The manifest of a complete artifact, with every file checked against its size and SHA-256.

    Raises:
        Failure: type `data` where the folder is no artifact of `kind` or a file is missing or differs.
    """
    where = str(folder / MANIFEST)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = [(entry["path"], entry["size"], entry["sha256"]) for entry in manifest["files"]]
        found, digest, version = manifest["kind"], manifest["digest"], manifest["version"]
    except OSError as error:
        raise Failure("data", f"expected a complete {kind}: {error.strerror}", where=where) from error
    except (ValueError, KeyError, TypeError) as error:
        raise Failure("data", f"expected a manifest, got {type(error).__name__}: {error}", where=where) from error
    if version != 1 or found != kind:
        raise Failure("data", f"expected a {kind} of version 1, got a {found} of version {version}", where=where)
    if _digest(manifest["files"]) != digest:
        raise Failure("data", "the digest does not match the list of files; choose another artifact", where=where)
    for path, size, sha256 in files:
        file = folder / path
        if not file.is_file() or file.stat().st_size != size or _sha256(file) != sha256:
            raise Failure("data", f"the file is missing or differs from {where}", where=str(file))
    return manifest


def _digest(files: list[dict[str, Any]]) -> str:
    lines = "".join(f"{file['path']} {file['size']} {file['sha256']}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _entry(folder: Path, path: Path) -> dict[str, Any]:
    return {"path": path.relative_to(folder).as_posix(), "size": path.stat().st_size, "sha256": _sha256(path)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
