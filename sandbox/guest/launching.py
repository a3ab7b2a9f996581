"""Starting the interpreter of a session."""

import os
import select
import socket
import time
from os import _exit
from typing import Protocol

import process_tree
from channel import Channel

_START_SECONDS = 10.0


class LaunchError(RuntimeError):
    """Raised where no interpreter can be started."""


class Launcher(Protocol):
    """Starts interpreters for one session after the other."""

    def launch(self, channel: Channel, folder: str) -> int:
        """Starts one at the other end of a channel and returns its pid. Raises LaunchError."""

    def status_of(self, pid: int) -> int | None:
        """How it ended, as waitpid says it; None where that is not known."""


class ForkLauncher:
    """Forks this process, which has imported the libraries."""

    def __init__(self, base_bytes: int) -> None:
        self._base_bytes = base_bytes

    def launch(self, channel: Channel, folder: str) -> int:
        import interpreter

        try:
            pid = os.fork()
        except OSError as error:
            raise LaunchError(f"no process for the code: {error.strerror}") from error
        if pid == 0:
            try:
                interpreter.start(channel.keep_theirs(), folder, self._base_bytes, isolated=False)
            finally:
                _exit(1)
        channel.close_theirs()
        return pid

    def status_of(self, pid: int) -> int | None:
        return process_tree.status_of(pid)


class ZygoteLauncher:
    """Asks the process that has imported the libraries to fork one into this process's namespaces."""

    def __init__(self, zygote: socket.socket, namespaces: list[str]) -> None:
        self._zygote = zygote
        self._namespaces = namespaces
        self._ending: int | None = None
        self._pid = 0

    def launch(self, channel: Channel, folder: str) -> int:
        deadline = time.monotonic() + _START_SECONDS
        if self._ending is not None:
            os.close(self._ending)
        self._ending, told = os.pipe()
        entrances = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in self._namespaces]
        try:
            self._zygote.settimeout(_START_SECONDS)
            socket.send_fds(self._zygote, [folder.encode()], [channel.theirs.fileno(), told, *entrances])
        except OSError as error:
            raise LaunchError(f"no process for the code: {error}") from error
        finally:
            channel.close_theirs()
            for handle in (told, *entrances):
                os.close(handle)
        try:
            message = channel.receive(deadline, self._ending, lambda: None)
        except (OSError, ValueError) as error:
            raise LaunchError(f"no process for the code: {error!r}") from error
        pid = (message or {}).get("live")
        if not isinstance(pid, int):
            raise LaunchError("no process for the code: it ended at its start")
        self._pid = pid
        return pid

    def status_of(self, pid: int) -> int | None:
        if pid != self._pid or self._ending is None:
            return process_tree.status_of(pid)
        if not select.select([self._ending], [], [], 1.0)[0]:
            return None
        told = os.read(self._ending, 16)
        return int(told) if told else None
