"""Taking a port, and answering on it until told to stop."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette

from lensmith_trainers.runtime.failure import Failure

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 1


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        Failure: type `infrastructure` where the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        message = f"expected port {port} to be free, got: {error.strerror or error}; choose another port"
        raise Failure("infrastructure", message, where=f"{host}:{port}") from error
    return listener


async def listen(app: Starlette, listener: socket.socket, ended: Callable[[], bool]) -> None:
    """Answers until `ended`; requests under way have a second to finish."""
    server = _Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_SECONDS)
    )

    async def watch() -> None:
        while not ended():
            await asyncio.sleep(_POLL_SECONDS)
        server.should_exit = True

    watcher = asyncio.create_task(watch())
    try:
        await server.serve([listener])
    finally:
        watcher.cancel()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are those of the program."""
        yield
