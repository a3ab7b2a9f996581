"""The process that has imported the libraries: it forks interpreters into the namespaces of sessions."""

import os
import select
import socket
import traceback
from fcntl import F_DUPFD, fcntl
from os import close, closerange, dup2, getpid, nice, pidfd_open, waitpid, write
from select import EPOLLIN
from socket import SocketType
from types import ModuleType
from typing import NoReturn

import resource_limits
from confinement import Confinement
from forking import fork
from frames import send_frame
from kernel import enter_namespace
from launching import await_release, keep_quiet

_CHANNEL, _LINE, _MOST_HANDLE = 3, 4, 1 << 16
# Plain numbers: a member of an enumeration is an object more that a process just forked touches.
_UNIX, _STREAM = int(socket.AF_UNIX), int(socket.SOCK_STREAM)
_HANDLES_BYTES = socket.CMSG_SPACE(16 * 4)
_NICE = 5


class Zygote:
    """Takes requests: a folder; the interpreter's channel and line, a pipe to tell of its end, the namespaces to enter.

    What it writes to between two forks the kernel copies page by page, and the same in each child, so it does little.
    """

    def __init__(
        self, requests: socket.socket, confinement: Confinement, interpreter: ModuleType, base_bytes: int
    ) -> None:
        self._requests = requests
        self._confinement = confinement
        self._start = interpreter.start
        self._hold = resource_limits.holder(base_bytes, isolated=True)
        self._null = os.open(os.devnull, os.O_WRONLY)
        # By the pidfd of each interpreter: its pid, and the pipe to tell of its end.
        self._children: dict[int, tuple[int, int]] = {}
        self._watched = select.epoll()

    def _become_interpreter(self, channel: int, line: int, entrances: list[int], folder: str) -> NoReturn:
        try:
            # Sessions are made, and their processes put away, before the code of others goes on.
            nice(_NICE)
            awaited = await_release(channel)
            for entrance in entrances:
                enter_namespace(entrance)
            self._confinement.interpreter()
            keep_quiet(self._null)
            # Either may have the other's number.
            line = fcntl(line, F_DUPFD, _LINE + 1)
            dup2(channel, _CHANNEL)
            dup2(line, _LINE)
            closerange(_LINE + 1, _MOST_HANDLE)
            connection = SocketType(_UNIX, _STREAM, 0, _CHANNEL)
            send_frame(connection, {"live": getpid()})
            self._start(connection, SocketType(_UNIX, _STREAM, 0, _LINE), folder, self._hold, awaited=awaited)
        except BaseException:  # noqa: BLE001 - a forked interpreter must never go on as the zygote
            traceback.print_exc()
        os._exit(1)

    def _launch(self) -> bool:
        message, ancillary, _, _ = self._requests.recvmsg(4096, _HANDLES_BYTES)
        if not message:
            return False
        channel, line, told, first, *entrances = memoryview(ancillary[0][2]).cast("i")
        pid = -1
        try:
            # The pid namespace holds for children only, and until the next one.
            enter_namespace(first)
            pid = fork()
        except OSError:
            # The session, if it still lives, learns it from the pipe that closes.
            pass
        if pid == 0:
            self._become_interpreter(channel, line, entrances, message.decode())
        close(channel)
        close(line)
        close(first)
        for entrance in entrances:
            close(entrance)
        if pid > 0:
            child = pidfd_open(pid)
            self._children[child] = pid, told
            self._watched.register(child, EPOLLIN)
        else:
            close(told)
        return True

    def _reap(self, child: int) -> None:
        pid, told = self._children.pop(child)
        _, status = waitpid(pid, 0)
        try:  # noqa: SIM105 - without an object for it
            write(told, b"%d" % status)
        except OSError:
            pass
        close(told)
        # An end of it that a child has inherited would keep it among those that are watched.
        self._watched.unregister(child)
        close(child)

    def serve(self) -> None:
        """Takes requests until nobody is left to send one."""
        requests = self._requests.fileno()
        self._watched.register(requests, EPOLLIN)
        while True:
            for ready, _ in self._watched.poll():
                if ready != requests:
                    self._reap(ready)
                elif not self._launch():
                    return
