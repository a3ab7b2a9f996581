"""Starting the interpreter of a session."""

import os
import select
import socket
import time
from os import _exit, dup2, read
from typing import Protocol

import direct_line
import process_tree
import resource_limits
from channel import Channel
from forking import fork

_START_SECONDS = 20.0


class LaunchError(RuntimeError):
    """Raised where no interpreter can be started."""


_PREPARED, _AWAITED = b"p", b"a"


class Launcher(Protocol):
    """Starts interpreters for one session after the other, each in two steps.

    Forking one takes long, and the session can make its folder and mounts meanwhile.
    """

    def begin(self, folder: str, line: socket.SocketType | None) -> Channel:
        """Has one forked at the other end of a channel, where it waits, and of a line. Raises LaunchError."""

    def release(self, channel: Channel, *, awaited: bool) -> None:
        """Lets it go on; `awaited` says that its configuration follows at once. Raises LaunchError."""

    def released(self, channel: Channel) -> int:
        """The pid of the one that was released, once it is confined. Raises LaunchError."""

    def status_of(self, pid: int) -> int | None:
        """How it ended, as waitpid says it; None where that is not known."""

    def await_end(self, seconds: float) -> None:
        """Waits until the one that was begun last is gone, and its place among the processes free."""


def await_release(channel: int) -> bool:
    """For a forked interpreter: waits for its session; returns whether its configuration follows at once."""
    try:
        go = read(channel, 1)
    except ConnectionError:
        go = b""
    if not go:
        _exit(0)
    return go == _AWAITED


def keep_quiet(null: int) -> None:
    """For a forked interpreter: what native code prints past Python is nobody's output, and not for the log."""
    dup2(null, 1)
    dup2(null, 2)


def _release(channel: Channel, *, awaited: bool) -> None:
    try:
        channel.send_bytes(_AWAITED if awaited else _PREPARED, time.monotonic() + _START_SECONDS)
    except OSError as error:
        raise LaunchError(f"no process for the code: {error!r}") from error


class ForkLauncher:
    """Forks this process, which has imported the libraries."""

    def __init__(self, base_bytes: int) -> None:
        self._hold = resource_limits.holder(base_bytes, isolated=False)
        self._null = os.open(os.devnull, os.O_WRONLY)
        self._pid = 0

    def begin(self, folder: str, line: socket.SocketType | None) -> Channel:
        import interpreter

        channel = Channel()
        try:
            pid = fork()
        except OSError as error:
            raise LaunchError(f"no process for the code: {error.strerror}") from error
        if pid == 0:
            try:
                connection = channel.keep_theirs()
                awaited = await_release(connection.fileno())
                keep_quiet(self._null)
                interpreter.start(connection, line, folder, self._hold, awaited=awaited)
            finally:
                _exit(1)
        channel.close_theirs()
        self._pid = pid
        return channel

    def release(self, channel: Channel, *, awaited: bool) -> None:
        _release(channel, awaited=awaited)

    def released(self, channel: Channel) -> int:  # noqa: ARG002 - its pid is known without asking
        return self._pid

    def status_of(self, pid: int) -> int | None:
        return process_tree.status_of(pid)

    def await_end(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while os.path.exists(f"/proc/{self._pid}") and time.monotonic() < deadline:
            process_tree.reap()
            time.sleep(0.001)


class ZygoteLauncher:
    """Asks the process that has imported the libraries to fork one into this process's namespaces."""

    def __init__(self, zygote: socket.socket, namespaces: list[str]) -> None:
        self._zygote = zygote
        self._namespaces = namespaces
        self._entrances: list[int] = []
        self._ending: int | None = None
        self._pid = 0

    def begin(self, folder: str, line: socket.SocketType | None) -> Channel:
        if line is None:
            raise LaunchError("no process for the code: the session has no line to the supervisor")
        # A call that the one before it has not read is not for this one.
        direct_line.drain(line)
        channel = Channel()
        if self._ending is not None:
            os.close(self._ending)
        self._ending, told = os.pipe()
        if not self._entrances:
            self._entrances = [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in self._namespaces]
            self._zygote.settimeout(_START_SECONDS)
        try:
            handles = [channel.theirs.fileno(), line.fileno(), told, *self._entrances]
            socket.send_fds(self._zygote, [folder.encode()], handles)
        except OSError as error:
            raise LaunchError(f"no process for the code: {error}") from error
        finally:
            channel.close_theirs()
            os.close(told)
        return channel

    def release(self, channel: Channel, *, awaited: bool) -> None:
        _release(channel, awaited=awaited)

    def released(self, channel: Channel) -> int:
        if self._ending is None:
            raise LaunchError("no process for the code: none was asked for")
        try:
            message = channel.receive(time.monotonic() + _START_SECONDS, self._ending, lambda: None)
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

    def await_end(self, seconds: float) -> None:
        if self._ending is not None:
            # The zygote writes how it ended, or closes the pipe without.
            select.select([self._ending], [], [], seconds)
