"""Being asked to stop, by SIGTERM or SIGINT."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from lensmith_trainers.runtime.failure import Failure


class StopRequest:
    """Remembers a signal. Inside `deferred()` the program looks at `requested` itself; elsewhere it ends at once."""

    def __init__(self) -> None:
        self.requested = False
        self._deferred = 0

    def install(self) -> None:
        """Takes over SIGTERM and SIGINT of this process."""
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """A section that ends at its own boundaries, such as the loop over training steps."""
        self._deferred += 1
        try:
            yield
        finally:
            self._deferred -= 1

    def check(self, what: str) -> None:
        """Raises the `cancelled` failure if a stop was requested; `what` says what was saved."""
        if self.requested:
            raise Failure("cancelled", f"asked to stop; {what}")

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.requested:
            return
        self.requested = True
        if not self._deferred:
            raise Failure("cancelled", f"asked to stop by {signal.Signals(number).name}; nothing was saved")
