import hashlib
import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from lensmith_trainers.runtime import Failure, publish_folder, read_manifest, write_manifest


def test_digest_is_that_of_the_sorted_lines(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.txt").write_bytes(b"two")
    (tmp_path / "a.txt").write_bytes(b"")
    digest = write_manifest(tmp_path, "model", {"steps": 3})
    # printf '' | sha256sum; printf two | sha256sum
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    two = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"
    expected = hashlib.sha256(f"a.txt 0 {empty}\nb/two.txt 3 {two}\n".encode()).hexdigest()
    assert digest == expected
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["digest"] == expected
    assert manifest["version"] == 1
    assert manifest["kind"] == "model"
    assert manifest["details"] == {"steps": 3}
    assert [entry["path"] for entry in manifest["files"]] == ["a.txt", "b/two.txt"]
    assert datetime.fromisoformat(manifest["createdAt"]).tzinfo is not None
    assert manifest["createdAt"].endswith("Z")


def test_paths_are_ordered_by_utf16_code_unit(tmp_path: Path) -> None:
    # U+FF61 is one unit above the surrogates of U+1F600, although its code point is smaller.
    for name in ("\uff61", "\U0001f600"):
        (tmp_path / name).write_bytes(b"x")
    write_manifest(tmp_path, "model", {})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert [entry["path"] for entry in manifest["files"]] == ["\U0001f600", "\uff61"]


def test_a_folder_is_published_whole(tmp_path: Path) -> None:
    with publish_folder(tmp_path / "model", "model", {"steps": 1}) as partial:
        (partial / "weights").write_bytes(b"1")
        assert not (tmp_path / "model").exists()
    assert read_manifest(tmp_path / "model", "model")["details"] == {"steps": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_failure_leaves_the_older_folder_and_nothing_else(tmp_path: Path) -> None:
    with publish_folder(tmp_path / "model", "model", {}) as partial:
        (partial / "weights").write_bytes(b"old")

    def fail() -> None:
        with publish_folder(tmp_path / "model", "model", {}) as partial:
            (partial / "weights").write_bytes(b"new")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    read_manifest(tmp_path / "model", "model")
    assert (tmp_path / "model" / "weights").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_replaces_an_older_one_and_remains_of_a_crash(tmp_path: Path) -> None:
    (tmp_path / ".model.partial").mkdir()
    (tmp_path / ".model.partial" / "rest").write_bytes(b"")
    for content in (b"old", b"new"):
        with publish_folder(tmp_path / "model", "model", {}) as partial:
            (partial / "weights").write_bytes(content)
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"weights", "manifest.json"}
    assert (tmp_path / "model" / "weights").read_bytes() == b"new"


@pytest.mark.parametrize("damage", ["content", "missing file", "missing manifest", "list", "kind"])
def test_a_damaged_artifact_is_refused(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "checkpoint-1"
    with publish_folder(folder, "checkpoint", {"step": 1}) as partial:
        (partial / "weights").write_bytes(b"abc")
    read_manifest(folder, "checkpoint")
    manifest = folder / "manifest.json"
    match damage:
        case "content":
            (folder / "weights").write_bytes(b"abd")
        case "missing file":
            (folder / "weights").unlink()
        case "missing manifest":
            manifest.unlink()
        case "list":
            manifest.write_text(manifest.read_text().replace('"size": 3', '"size": 4'))
        case "kind":
            manifest.write_text(manifest.read_text().replace('"checkpoint"', '"model"'))
    with pytest.raises(Failure) as caught:
        read_manifest(folder, "checkpoint")
    assert caught.value.type == "data"
    shutil.rmtree(folder)
