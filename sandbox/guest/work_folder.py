"""The session's working folder, and going back to what it was before a call."""

import os
import shutil


def _clear(folder: str) -> None:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)


class WorkFolder:
    """`path` is where the code runs; `_kept` beside it is what it goes back to."""

    def __init__(self, path: str, kept: str) -> None:
        self.path = path
        self._kept = kept
        os.makedirs(path, exist_ok=True)

    def keep(self) -> None:
        """Remembers the content as it is."""
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self.path, self._kept, symlinks=True)

    def restore(self) -> None:
        """Goes back to what was remembered."""
        os.chmod(self.path, 0o700)
        _clear(self.path)
        shutil.copytree(self._kept, self.path, symlinks=True, dirs_exist_ok=True)
