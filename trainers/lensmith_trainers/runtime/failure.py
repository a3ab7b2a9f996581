"""Failures with the stable names that the orchestrator acts on."""

import errno
from typing import Literal, get_args

from pydantic import ValidationError

FailureType = Literal[
    "config",
    "data",
    "auth",
    "infrastructure",
    "out_of_memory",
    "disk_full",
    "stall",
    "crash_loop",
    "cancelled",
    "undecided",
]
FAILURE_TYPES: tuple[str, ...] = get_args(FailureType)


class Failure(Exception):  # noqa: N818 - the word of the contract
    """An expected failure. `where` names the place in the input, the file or the address."""

    def __init__(self, type: FailureType, message: str, *, where: str | None = None) -> None:
        super().__init__(message)
        self.type: FailureType = type
        self.message = message
        self.where = where

    def __str__(self) -> str:
        return self.message if self.where is None else f"{self.where}: {self.message}"


_FULL = {errno.ENOSPC, errno.EDQUOT}
# torch raises plain RuntimeError (and safetensors its own class) where the system call's number is lost.
_MEMORY_TEXTS = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
_DISK_TEXTS = (
    "no space left on device",
    "disk quota exceeded",
    # What is left of a write that was cut off, when torch closes the file of an optimiser or of random states.
    "pytorchstreamwriter failed writing file",
    ". unexpected pos",
)


def classify_failure(error: BaseException) -> tuple[FailureType, str]:
    """The failure type of any exception and the message for `outcome.json`."""
    if isinstance(error, Failure):
        return error.type, str(error)
    text = f"{type(error).__name__}: {error}"
    lowered = text.lower()
    if isinstance(error, KeyboardInterrupt):
        return "cancelled", "interrupted from the keyboard"
    if isinstance(error, ValidationError):
        return "config", text
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "out_of_memory", text
    if isinstance(error, OSError) and error.errno in _FULL:
        return "disk_full", text
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return "out_of_memory", text
    if any(part in lowered for part in _DISK_TEXTS):
        return "disk_full", text
    if any(part in lowered for part in _MEMORY_TEXTS):
        return "out_of_memory", text
    return "infrastructure", text
