"""The result of a call that could not give one itself."""

from typing import Any


def failed(outcome: str, error_type: str, message: str) -> dict[str, Any]:
    """A result with an error and nothing else; `error_type` is the name of the limit."""
    error = {"type": error_type, "message": message, "line": None, "traceback": ""}
    return {"outcome": outcome, "stdout": "", "stderr": "", "images": [], "error": error}
