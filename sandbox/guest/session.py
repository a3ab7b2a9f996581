"""One session: its namespace, its working folder, and the deadline of each call."""

import base64
import contextlib
import io
import os
import resource
import select
import shutil
import signal
import socket
import time
from typing import Any

import numpy as np
from frames import receive_frame, send_frame
from holder import hold
from PIL import Image
from work_folder import WorkFolder

_MAXIMUM_PIXELS = 400_000_000
_FILE_BYTES = 64 * 1024 * 1024


def _limit_resources(limits: dict[str, Any], base_bytes: int) -> None:
    memory = base_bytes + limits["memoryMib"] * 1024 * 1024
    seconds = int(limits["callSeconds"]) + 2
    for name, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, 128),
        (resource.RLIMIT_NPROC, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(name)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (bound, bound))


def _decode(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    width, height = image.size
    if width * height > _MAXIMUM_PIXELS:
        raise ValueError(f"expected at most {_MAXIMUM_PIXELS} pixels, got {width} x {height}")
    image.load()
    return image


def _file_name(name: str) -> str:
    if os.path.basename(name) != name or name in ("", ".", ".."):
        raise ValueError(f'expected a plain file name, got "{name}"')
    return name


def _failed(kind: str, error_type: str, message: str) -> dict[str, Any]:
    error = {"type": error_type, "message": message, "line": None, "traceback": ""}
    return {"outcome": kind, "stdout": "", "stderr": "", "images": [], "error": error}


class Session:
    """Runs calls one after the other. `isolated` says that this process is the first of a pid namespace."""

    def __init__(self, config: dict[str, Any], folder: str, base_bytes: int, isolated: bool) -> None:
        self._limits = config["limits"]
        self._stateful = config["state"] == "stateful"
        self._isolated = isolated
        self._base_bytes = base_bytes
        self._work = WorkFolder(os.path.join(folder, "session"), os.path.join(folder, "kept"))
        os.chdir(self._work.path)
        self._namespace = self._first_namespace(config)
        self._work.keep()
        self._channel: socket.socket | None = None
        self._holder = 0

    def _first_namespace(self, config: dict[str, Any]) -> dict[str, Any]:
        names = config["variables"]
        namespace: dict[str, Any] = {"__name__": "__main__", "np": np, "Image": Image}
        for index, entry in enumerate(config["images"]):
            content = base64.b64decode(entry["data"])
            image = _decode(content)
            if index == 0:
                namespace[names["image"]] = image
            default = names["file"] if index == 0 else f"image_{index}"
            path = os.path.join(self._work.path, _file_name(entry.get("name") or default))
            with open(path, "wb") as file:
                file.write(content)
        return namespace

    def _start_holder(self, connection: socket.socket) -> socket.socket:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            connection.close()
            ours.close()
            os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            _limit_resources(self._limits, self._base_bytes)
            hold(theirs, self._namespace, self._limits, self._stateful)
        theirs.close()
        self._holder = pid
        self._channel = ours
        return ours

    def _kill_others(self, keep: int, call: int) -> None:
        """Ends everything in the session but this process and the holder."""
        if self._isolated:
            pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
            for pid in pids:
                if pid not in (1, keep):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        elif call and call != keep:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(call, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0] > 0:
                pass

    def _forget_holder(self) -> None:
        if self._channel is not None:
            self._channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._holder, signal.SIGKILL)
        self._channel, self._holder = None, 0
        self._kill_others(0, 0)

    def _receive(self, channel: socket.socket, deadline: float) -> dict[str, Any] | None:
        """The next message before the deadline; raises TimeoutError past it, None where nobody can send one."""
        ready, _, _ = select.select([channel], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        channel.settimeout(max(0.1, deadline + 5 - time.monotonic()))
        return receive_frame(channel)

    def _call(self, connection: socket.socket, code: str, seconds: float) -> dict[str, Any]:
        channel = self._channel or self._start_holder(connection)
        deadline = time.monotonic() + seconds
        call = 0
        try:
            send_frame(channel, {"code": code})
            message = self._receive(channel, deadline)
            if message is not None and "started" in message:
                call = message["started"]
                message = self._receive(channel, deadline)
        except TimeoutError:
            self._kill_others(self._holder, call)
            try:
                if self._receive(channel, time.monotonic() + 2) is None:
                    self._forget_holder()
            except (TimeoutError, OSError, ValueError):
                self._forget_holder()
            return _failed("timeout", "TimeLimit", f"the code ran longer than {seconds:g} seconds")
        except (OSError, ValueError) as error:
            self._forget_holder()
            return _failed("policy", "Tampering", f"the code disturbed its own interpreter: {error}")
        if message is None:
            self._forget_holder()
            return _failed("policy", "Tampering", "the code ended its own interpreter")
        if "died" in message:
            self._kill_others(self._holder, call)
            return self._death(message["died"], message["code"], seconds)
        holder = message.pop("holder", None)
        if isinstance(holder, int):
            self._holder = holder
        else:
            self._await_reaped(channel)
        self._kill_others(self._holder, call)
        return message

    def _await_reaped(self, channel: socket.socket) -> None:
        """After a report of failure the holder says when the call is gone; killed before, it would read as a death."""
        try:
            if self._receive(channel, time.monotonic() + 2) is None:
                self._forget_holder()
        except (TimeoutError, OSError, ValueError):
            self._forget_holder()

    @staticmethod
    def _death(number: int, code: int | None, seconds: float) -> dict[str, Any]:
        if number == signal.SIGXCPU:
            return _failed("timeout", "TimeLimit", f"the code used more processor time than {seconds:g} seconds allow")
        if number == signal.SIGKILL:
            return _failed("memory", "MemoryLimit", "the system ended the code for want of memory")
        if number == 0:
            return _failed("exception", "SystemExit", f"the code left its interpreter with exit code {code}")
        name = signal.Signals(number).name
        return _failed("exception", "Crash", f"the code crashed its interpreter ({name})")

    def execute(self, connection: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
        """Runs one call and leaves the session as it was before where the call failed."""
        started = time.monotonic()
        result = self._call(connection, request["code"], request["seconds"])
        ran = result["outcome"] in ("ok", "no_output")
        if not self._stateful:
            self._forget_holder()
        if ran and self._stateful:
            self._work.keep()
        else:
            self._work.restore()
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


def leave(folder: str, isolated: bool) -> None:
    """Removes what the session left on the host; a namespace's own folders vanish with it."""
    if not isolated:
        shutil.rmtree(folder, ignore_errors=True)
