"""One session: its folder, the holder of its variables, and the deadline of each call."""

import os
import select
import signal
import socket
import time
from os import _exit
from pathlib import Path
from typing import Any

import process_tree
import resource_limits
from checked_result import checked_result
from failures import failed
from frames import receive_frame, send_frame
from holder import hold
from session_inputs import first_namespace
from work_folder import WorkFolder, WorkFolderError

_END_SECONDS = 2.0


def _death(number: object, code: object, seconds: float) -> dict[str, Any]:
    if number == signal.SIGXCPU:
        return failed("timeout", "TimeLimit", f"the code used more processor time than {seconds:g} seconds allow")
    if number == signal.SIGKILL:
        return failed("memory", "MemoryLimit", "the code was killed, as the system does for want of memory")
    if number == 0:
        return failed("exception", "SystemExit", f"the code left its interpreter with exit code {code}")
    return failed("exception", "Crash", f"the code crashed its interpreter (signal {number})")


def _receive(channel: socket.socket, deadline: float) -> dict[str, Any] | None:
    """The next message; None where nobody is left to send one, TimeoutError past the deadline."""
    ready, _, _ = select.select([channel], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        raise TimeoutError
    channel.settimeout(max(0.1, deadline + _END_SECONDS - time.monotonic()))
    return receive_frame(channel)


class Session:
    """Runs calls one after the other."""

    def __init__(self, config: dict[str, Any], folder: str, base_bytes: int, isolated: bool) -> None:
        self._limits = config["limits"]
        self._stateful = config["state"] == "stateful"
        self._isolated = isolated
        self._base_bytes = base_bytes
        self._place = str(Path(folder, "session"))
        Path(self._place).mkdir()
        self._namespace = first_namespace(config, self._place)
        self._work = WorkFolder(folder)
        self._work.keep()
        self._channel: socket.socket | None = None
        self._holder = 0

    def _start_holder(self, connection: socket.socket) -> socket.socket:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                connection.close()
                ours.close()
                os.setsid()
                # What native code prints past Python is nobody's output, and not for the supervisor's log.
                with Path(os.devnull).open("wb") as null:
                    os.dup2(null.fileno(), 1)
                    os.dup2(null.fileno(), 2)
                os.chdir(self._place)
                resource_limits.apply(self._limits, self._base_bytes, self._isolated)
                hold(theirs, self._namespace, self._limits, self._stateful)
            finally:
                _exit(1)
        theirs.close()
        self._holder, self._channel = pid, ours
        return ours

    def _forget_holder(self) -> None:
        """Ends everything; the next call starts from the first namespace."""
        if self._channel is not None:
            self._channel.close()
        if not process_tree.end_all_but(0) and self._isolated:
            # The first process of a pid namespace ends all others at one stroke.
            os.kill(-1, signal.SIGKILL)
            process_tree.reap()
        self._channel, self._holder = None, 0

    def _undo(self, channel: socket.socket, told: bool = False) -> None:
        """Ends the call with what it started, and restores the folder.

        Unless it has `told` so already, the holder says when the call is gone.
        """
        deadline = time.monotonic() + _END_SECONDS
        ended = process_tree.end_all_but(self._holder)
        message: dict[str, Any] | None = {}
        try:
            while not told and message is not None:
                message = _receive(channel, deadline)
                told = message is not None and ("died" in message or "reaped" in message)
        except (OSError, ValueError):
            message = None
        if message is None or not ended:
            self._forget_holder()
        self._work.restore()

    def _reset(self) -> None:
        self._forget_holder()
        self._work.restore()

    def _commit(self, channel: socket.socket, result: dict[str, Any], holder: object) -> dict[str, Any]:
        """Makes the call's process the holder, and what is in the folder what later calls go back to."""
        if not isinstance(holder, int) or holder not in process_tree.descendants(os.getpid()):
            self._undo(channel)
            return failed("policy", "Tampering", "the code changed what its interpreter reports")
        try:
            self._work.keep()
        except WorkFolderError as error:
            self._undo(channel)
            return failed("policy", "WorkFolder", str(error))
        self._holder = holder
        if process_tree.end_all_but(holder):
            return result
        self._reset()
        return failed("policy", "Processes", "the code starts processes faster than they can be ended")

    @staticmethod
    def _ask(channel: socket.socket, code: str, deadline: float) -> dict[str, Any] | None:
        while select.select([channel], [], [], 0)[0]:
            # Only code that writes to the channel leaves something here.
            if _receive(channel, deadline) is None:
                return None
        send_frame(channel, {"code": code})
        return _receive(channel, deadline)

    def _call(self, connection: socket.socket, code: str, seconds: float) -> dict[str, Any]:
        channel = self._channel or self._start_holder(connection)
        try:
            message = self._ask(channel, code, time.monotonic() + seconds)
        except TimeoutError:
            self._undo(channel)
            return failed("timeout", "TimeLimit", f"the code ran longer than {seconds:g} seconds")
        except (OSError, ValueError) as error:
            self._reset()
            return failed("policy", "Tampering", f"the code disturbed its own interpreter: {error}")
        if message is None:
            self._reset()
            return failed("policy", "Tampering", "the code ended its own interpreter")
        if "died" in message:
            self._undo(channel, told=True)
            return _death(message["died"], message.get("code"), seconds)
        result = checked_result(message, self._limits)
        if result is None:
            self._undo(channel)
            return failed("policy", "Tampering", "the code changed what its interpreter reports")
        if result["error"] is not None or not self._stateful:
            self._undo(channel)
            return result
        return self._commit(channel, result, message.get("holder"))

    def execute(self, connection: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
        """Runs one call and leaves the session as it was before where the call failed."""
        started = time.monotonic()
        result = self._call(connection, request["code"], request["seconds"])
        return {**result, "durationMs": (time.monotonic() - started) * 1000}


def serve(connection: socket.socket, identifier: str, folder: str, base_bytes: int, isolated: bool) -> None:
    """Greets the supervisor, takes the session's configuration and runs calls until the connection closes."""
    send_frame(connection, {"session": identifier})
    config = receive_frame(connection)
    if config is None:
        return
    try:
        session = Session(config, folder, base_bytes, isolated)
    except Exception as error:  # noqa: BLE001 - whatever a broken image raises
        send_frame(connection, {"ready": False, "message": f"{type(error).__name__}: {error}"})
        return
    send_frame(connection, {"ready": True})
    while (request := receive_frame(connection)) is not None:
        send_frame(connection, session.execute(connection, request))
