"""The fork server: imports what model code uses, once, and forks a session for each request on its standard input.

`main.py ISOLATION SCRATCH MEETING`: ISOLATION is `namespaces` or `none`; SCRATCH an empty folder; MEETING the folder of
the supervisor's socket. Requests are JSON lines, `{"open": ID}` and `{"kill": ID}`. It ends when its input does.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

os.environ["MPLBACKEND"] = "Agg"

import kernel
import process_tree
import root_view
from work_folder import WorkFolder

_FOLDER_MEBIBYTES = 256
_SESSION_NAMESPACES = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
)


def _import_libraries() -> None:
    import cv2
    import matplotlib.pyplot
    import numpy
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFilter
    import PIL.ImageOps
    import session

    cv2.setNumThreads(1)
    PIL.Image.init()
    del matplotlib, numpy, session


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


class ForkServer:
    """Keeps the sessions that it has forked, by id."""

    def __init__(self, isolated: bool, scratch: str, meeting: str) -> None:
        self._isolated = isolated
        self._scratch = scratch
        self._socket = str(Path("/sandbox/meeting" if isolated else meeting, "sessions.sock"))
        self._base_bytes = _address_space()
        self._sessions: dict[int, str] = {}

    def _run_session(self, identifier: str) -> None:
        from session import serve

        # Its standard input is the server's, where the next requests stand.
        with Path(os.devnull).open() as null:
            os.dup2(null.fileno(), 0)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(self._socket)
        folder = "/sandbox"
        if self._isolated:
            kernel.map_identity("self", 1000, 0, 0)
            root_view.hide_in_session(_FOLDER_MEBIBYTES)
            os.setsid()
            kernel.drop_capabilities()
        else:
            os.setsid()
            # Without a pid namespace, what outlives its parent still has to be found below this process.
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
            folder = self._folder(identifier)
            Path(folder).mkdir()
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        serve(connection, identifier, folder, self._base_bytes, self._isolated)

    def _folder(self, identifier: str) -> str:
        return str(Path(self._scratch, identifier))

    def open(self, identifier: str) -> None:
        """Forks a session, which connects to the supervisor by itself."""
        try:
            pid = kernel.clone_process(_SESSION_NAMESPACES) if self._isolated else os.fork()
        except OSError as error:
            _say({"failed": identifier, "message": str(error)})
            return
        if pid != 0:
            self._sessions[pid] = identifier
            return
        try:
            self._run_session(identifier)
        except BaseException:  # noqa: BLE001 - a forked session must never go on as a server
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def kill(self, identifier: str) -> None:
        """Ends a session with everything that it started."""
        for pid, name in self._sessions.items():
            if name == identifier:
                process_tree.kill([pid] if self._isolated else [*process_tree.descendants(pid), pid])

    def reap(self) -> None:
        """Forgets sessions that have ended."""
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                identifier = self._sessions.pop(pid, None)
                if identifier is not None and not self._isolated:
                    # What the session started came to this process, its subreaper.
                    self._end_orphans()
                    WorkFolder(self._folder(identifier)).remove()

    def _end_orphans(self) -> None:
        for pid in process_tree.children(os.getpid()) - self._sessions.keys():
            process_tree.kill([*process_tree.descendants(pid), pid])

    def kill_all(self) -> None:
        """Ends every session, and waits for them to be gone."""
        for identifier in list(self._sessions.values()):
            self.kill(identifier)
        with contextlib.suppress(ChildProcessError):
            while self._sessions:
                self._sessions.pop(os.waitpid(-1, 0)[0], None)

    def serve(self) -> None:
        """Takes requests until the input ends."""
        pending = b""
        while True:
            ready, _, _ = select.select([0], [], [], 1.0)
            self.reap()
            if not ready:
                continue
            part = os.read(0, 65536)
            if not part:
                return
            *lines, pending = (pending + part).split(b"\n")
            for line in lines:
                request = json.loads(line)
                if "open" in request:
                    self.open(request["open"])
                else:
                    self.kill(request["kill"])


def _say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def main() -> None:
    """Isolates itself, imports, and serves."""
    isolation, scratch, meeting = sys.argv[1:]
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    if isolation == "namespaces":
        try:
            root_view.enter(meeting, scratch)
        except OSError as error:
            _say({"ready": False, "wants": "isolation", "message": str(error)})
            return
    try:
        _import_libraries()
    except ImportError as error:
        _say({"ready": False, "wants": "libraries", "message": str(error)})
        return
    if isolation == "namespaces":
        root_view.freeze()
    else:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    server = ForkServer(isolation == "namespaces", scratch, meeting)
    _say({"ready": True})
    try:
        server.serve()
    finally:
        server.kill_all()


main()
