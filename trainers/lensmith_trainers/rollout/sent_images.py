"""Images that a tool server keeps: the episodes of a group share theirs, and only the first has to send it."""

import base64
import hashlib
import threading
from collections.abc import Sequence
from typing import Any

_MOST = 4096


class SentImages:
    """Remembers which images one server was sent to keep. Safe to use from several threads."""

    def __init__(self) -> None:
        self._digests: dict[str, None] = {}
        self._lock = threading.Lock()

    def inputs(self, images: Sequence[bytes]) -> list[dict[str, Any]]:
        """The images as a request holds them (`imageInputSchema`): digests of known ones, else bytes to keep."""
        return [self._input(image) for image in images]

    def remember(self, images: Sequence[bytes]) -> None:
        """The server has taken a request with them; of many images, the last ones are remembered."""
        with self._lock:
            for image in images:
                self._digests[_digest(image)] = None
            while len(self._digests) > _MOST:
                self._digests.pop(next(iter(self._digests)))

    def forget(self) -> None:
        """The server does not keep what it was sent: it started anew, or had no more room."""
        with self._lock:
            self._digests.clear()

    def _input(self, image: bytes) -> dict[str, Any]:
        digest = _digest(image)
        with self._lock:
            if digest in self._digests:
                return {"digest": digest}
        return {"data": base64.b64encode(image).decode(), "keep": True}


def _digest(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()
