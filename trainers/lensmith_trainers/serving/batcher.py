"""Requests that share a model: a thread decodes, and new requests join between its steps."""

import threading
from collections import deque
from concurrent.futures import Future

from lensmith_trainers.rollout import Generation
from lensmith_trainers.serving.engine import Engine


class Closed(Exception):  # noqa: N818 - names a state
    """The server is shutting down."""


class Batcher:
    """Decodes at most `max_batch_size` generations at a time; the others wait in order."""

    def __init__(self, engine: Engine, max_batch_size: int) -> None:
        self._engine = engine
        self._limit = max_batch_size
        self._waiting: deque[Generation] = deque()
        self._futures: dict[Generation, Future[Generation]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self.running = 0
        """Generations that are being decoded."""
        self._thread = threading.Thread(target=self._run, name="decoder", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Generations that have not begun."""
        return len(self._waiting)

    def submit(self, generation: Generation) -> Future[Generation]:
        """A future of the finished generation; cancelling it before it begins takes it out."""
        future: Future[Generation] = Future()
        with self._changed:
            if self._closed:
                future.set_exception(Closed())
                return future
            self._futures[generation] = future
            self._waiting.append(generation)
            self._changed.notify()
        return future

    def close(self, timeout: float) -> None:
        """Ends all generations with `Closed` and waits up to `timeout` seconds for the step that is under way."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        decoder = self._engine.decoder()
        while (joining := self._next(len(decoder))) is not None:
            try:
                decoder.join(joining)
                self.running = len(decoder)
                finished = decoder.step()
            except Exception as error:  # noqa: BLE001 - it belongs to the requests, the server goes on
                broken = {*joining, *decoder.clear()}
                for generation in broken:
                    self._futures.pop(generation).set_exception(error)
                self.running = 0
                continue
            for generation in finished:
                self._engine.finished(generation)
                self._futures.pop(generation).set_result(generation)
            self.running = len(decoder)
        for future in self._futures.values():
            if not future.done():
                future.set_exception(Closed())

    def _next(self, running: int) -> list[Generation] | None:
        """The generations that may join; waits while there is nothing to do. None where the batcher is closed."""
        with self._changed:
            while not (self._closed or running or self._waiting):
                self._changed.wait()
            if self._closed:
                return None
            joining = []
            while self._waiting and running + len(joining) < self._limit:
                generation = self._waiting.popleft()
                if self._futures[generation].set_running_or_notify_cancel():
                    joining.append(generation)
                else:
                    del self._futures[generation]
            return joining
