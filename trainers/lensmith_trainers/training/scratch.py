"""Where the Hugging Face trainer writes before a checkpoint takes its name."""

import shutil
from pathlib import Path

from lensmith_trainers.runtime.fence import assert_owns_stage
from lensmith_trainers.runtime.publish import own_name

_NAME = ".saving"


def scratch_folder(output_dir: str | Path) -> Path:
    """The folder of this program; another lease of the stage has another."""
    return Path(output_dir) / own_name(_NAME)


def empty_scratch(output_dir: str | Path) -> Path:
    """The same without what is left in it, or of a program under an older lease.

    Raises:
        Failure: type `infrastructure` where the stage belongs to a newer lease.
    """
    assert_owns_stage("a checkpoint")
    for remains in (Path(output_dir) / _NAME, *Path(output_dir).glob(f"{_NAME}.*")):
        shutil.rmtree(remains, ignore_errors=True)
    return scratch_folder(output_dir)
