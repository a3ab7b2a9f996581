"""The process that has imported the libraries: it forks interpreters into the namespaces of sessions."""

import contextlib
import os
import select
import signal
import socket
import traceback
from typing import NoReturn

import kernel
from confinement import Confinement
from launching import await_release

_CHANNEL = 3
_MOST_HANDLES = 16
_NICE = 5


class Zygote:
    """Takes requests: a folder; the interpreter's channel, a pipe to tell of its end, the namespaces to enter."""

    def __init__(self, requests: socket.socket, confinement: Confinement, base_bytes: int) -> None:
        self._requests = requests
        self._confinement = confinement
        self._base_bytes = base_bytes
        self._told: dict[int, int] = {}

    def _become_interpreter(self, channel: int, entrances: list[int], folder: str) -> NoReturn:
        import interpreter
        from frames import send_frame

        try:
            # Sessions are made, and their processes put away, before the code of others goes on.
            os.nice(_NICE)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            with open(os.devnull) as null:
                os.dup2(null.fileno(), 0)
            connection = socket.socket(fileno=channel)
            awaited = await_release(connection)
            connection.detach()
            for entrance in entrances:
                kernel.enter_namespace(entrance)
            self._confinement.interpreter()
            os.dup2(channel, _CHANNEL)
            os.closerange(_CHANNEL + 1, 1 << 16)
            connection = socket.socket(fileno=_CHANNEL)
            send_frame(connection, {"live": os.getpid()})
            interpreter.start(connection, folder, self._base_bytes, isolated=True, awaited=awaited)
        except BaseException:  # noqa: BLE001 - a forked interpreter must never go on as the zygote
            traceback.print_exc()
        os._exit(1)

    def _launch(self) -> bool:
        message, handles, _, _ = socket.recv_fds(self._requests, 4096, _MOST_HANDLES)
        if not message:
            return False
        channel, told, first, *entrances = handles
        pid = -1
        try:
            # The pid namespace holds for children only, and until the next one.
            kernel.enter_namespace(first)
            pid = os.fork()
        except OSError:
            # The session, if it still lives, learns it from the pipe that closes.
            pass
        if pid == 0:
            self._become_interpreter(channel, entrances, message.decode())
        for handle in (channel, first, *entrances):
            os.close(handle)
        if pid > 0:
            self._told[pid] = told
        else:
            os.close(told)
        return True

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
                told = self._told.pop(ended[0], None)
                if told is not None:
                    with contextlib.suppress(OSError):
                        os.write(told, str(ended[1]).encode())
                    os.close(told)

    def serve(self) -> None:
        """Takes requests until nobody is left to send one."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready, _, _ = select.select([self._requests, woken], [], [])
            if woken in ready:
                os.read(woken, 4096)
                self._reap()
            if self._requests in ready and not self._launch():
                return
