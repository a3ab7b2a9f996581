"""The fork server: forks a session for each request on its standard input.

`main.py ISOLATION SCRATCH MEETING`: ISOLATION is `namespaces` or `none`; SCRATCH an empty folder; MEETING the folder of
the supervisor's socket. Requests are JSON lines, `{"open": ID, "awaited": BOOLEAN}` and `{"kill": ID}`. It ends when
its input does.
"""

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

os.environ["MPLBACKEND"] = "Agg"

import direct_line
import kernel
import libraries
import memory_watch
import process_tree
import root_view
import time_stamps
from confinement import Confinement
from frames import send_frame
from launching import ForkLauncher, Launcher, LaunchError, ZygoteLauncher
from session import Session, greet, serve, session_place
from work_folder import WorkFolder
from zygote import Zygote

_FOLDER_MEBIBYTES = 256
# In the root of the fork server, before anything of a session.
_MOUNT_PLACE = f"{root_view.OWN}/mount"
# One after the other in the same namespaces.
_MOST_SESSIONS = 100


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


class ForkServer:
    """Keeps the sessions that it has forked, by id."""

    def __init__(
        self, confinement: Confinement | None, scratch: str, meeting: str, launcher: Launcher, inherited: int
    ) -> None:
        self._confinement = confinement
        self._scratch = scratch
        self._socket = str(Path("/sandbox/meeting" if confinement else meeting, "sessions.sock"))
        self._launcher = launcher
        self._inherited = inherited
        self._sessions: dict[int, str] = {}

    def _run_session(self, identifier: str, *, awaited: bool) -> None:
        # Its standard input is the server's, where the next requests stand.
        with Path(os.devnull).open() as null:
            os.dup2(null.fileno(), 0)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        folder = "/sandbox" if self._confinement else self._folder(identifier)
        line = self._connected() if self._confinement else None
        begun = self._launcher.begin(session_place(folder), line)
        if line is not None:
            send_frame(line, {"lineOf": identifier})
        connection = self._connected()
        if awaited:
            # Its configuration is under way while the rest is made.
            greet(connection, identifier, line)
        if self._confinement:
            kernel.map_identity("self", 1000, 0, 0)
            root_view.hide_in_session(_FOLDER_MEBIBYTES)
            os.setsid()
            self._confinement.first_process()
        else:
            os.setsid()
            # Without a pid namespace, what outlives its parent still has to be found below this process.
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
            Path(folder).mkdir()
        session = Session(folder, self._launcher, begun, line, self._inherited)
        if not awaited:
            session.start()
            greet(connection, identifier, line)
        if self._confinement and self._confinement.lasting and line is not None:
            self._serve_again_and_again(connection, line, session)
        else:
            serve(connection, session)

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(self._socket)
        return connection

    def _serve_again_and_again(self, connection: socket.socket, line: socket.socket, session: Session) -> None:
        """Serves one session after the other in the same namespaces, as long as nothing of the last one is left."""
        for _ in range(_MOST_SESSIONS - 1):
            wanted = serve(connection, session)
            # What the supervisor has not read yet it would take for the next session's.
            if wanted is None or not session.end() or not direct_line.all_read(line):
                return
            root_view.renew_folder(_FOLDER_MEBIBYTES)
            begun = self._launcher.begin(session_place("/sandbox"), line)
            session = Session("/sandbox", self._launcher, begun, line, self._inherited)
            session.start(hurried=wanted["again"] == "soon")
            send_frame(connection, {"again": True})
        serve(connection, session)

    def _folder(self, identifier: str) -> str:
        return str(Path(self._scratch, identifier))

    def open(self, identifier: str, *, awaited: bool) -> None:
        """Forks a session, which connects to the supervisor by itself; `awaited` says that a caller waits for it."""
        try:
            pid = kernel.clone_process(self._confinement.namespaces) if self._confinement else os.fork()
        except OSError as error:
            _say({"failed": identifier, "message": str(error)})
            return
        if pid != 0:
            self._sessions[pid] = identifier
            return
        try:
            self._run_session(identifier, awaited=awaited)
        except (LaunchError, OSError) as error:
            # Ended from outside, or its supervisor is gone; who waits for it sees its connection close.
            _complain(f"a session ended: {error}")
            os._exit(1)
        except BaseException:  # noqa: BLE001 - a forked session must never go on as a server
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def kill(self, identifier: str) -> None:
        """Ends a session with everything that it started."""
        for pid, name in self._sessions.items():
            if name == identifier:
                process_tree.kill([pid] if self._confinement else [*process_tree.descendants(pid), pid])

    def reap(self) -> None:
        """Forgets sessions that have ended."""
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                identifier = self._sessions.pop(pid, None)
                if identifier is None:
                    continue
                # Where it had not connected, somebody waits for it.
                _say({"failed": identifier, "message": "its first process ended"})
                if not self._confinement:
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

    def serve(self, also: socket.socket | None) -> None:
        """Takes requests until the input, or `also`, ends."""
        # Sessions are short beside what there is: none of them has to look through it for garbage.
        gc.freeze()
        pending = b""
        watched = [0] if also is None else [0, also.fileno()]
        while True:
            ready, _, _ = select.select(watched, [], [], 1.0)
            self.reap()
            if not ready:
                continue
            part = os.read(0, 65536) if 0 in ready else b""
            if not part:
                return
            *lines, pending = (pending + part).split(b"\n")
            for line in lines:
                request = json.loads(line)
                if "open" in request:
                    self.open(request["open"], awaited=request["awaited"])
                else:
                    self.kill(request["kill"])


def _complain(message: str) -> None:
    os.write(2, f"sandbox: {message}\n".encode(errors="replace"))


def _say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def _run_zygote(requests: socket.socket, life: socket.socket, confinement: Confinement) -> NoReturn:
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        # Its standard input is the server's, where the next requests stand.
        with Path(os.devnull).open() as null:
            os.dup2(null.fileno(), 0)
        try:
            os.mkdir(_MOUNT_PLACE)
            libraries.load(_MOUNT_PLACE)
            os.rmdir(_MOUNT_PLACE)
        except ImportError as error:
            life.sendall(json.dumps({"failed": str(error)}).encode())
            os._exit(1)
        life.sendall(json.dumps({"inherited": memory_watch.own_bytes("self")}).encode())
        import interpreter

        confinement.prepare()
        Zygote(requests, confinement, interpreter, _address_space()).serve()
    except BaseException:  # noqa: BLE001 - the fork must never go on as the server
        traceback.print_exc()
    os._exit(1)


def _serve_isolated(scratch: str, meeting: str) -> None:
    try:
        root_view.enter(meeting, scratch)
    except OSError as error:
        _say({"ready": False, "wants": "isolation", "message": str(error)})
        return
    time_stamps.learn(root_view.OWN)
    confinement = Confinement()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    life, end_of_life = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        life.close()
        _run_zygote(theirs, end_of_life, confinement)
    theirs.close()
    end_of_life.close()
    answer = json.loads(life.recv(4096) or b'{"failed": "the process that imports the libraries ended"}')
    if "failed" in answer:
        _say({"ready": False, "wants": "libraries", "message": answer["failed"]})
        return
    root_view.freeze()
    server = ForkServer(
        confinement, scratch, meeting, ZygoteLauncher(ours, confinement.namespace_files), answer["inherited"]
    )
    _say({"ready": True, "seccomp": confinement.seccomp, "landlock": confinement.landlock})
    try:
        server.serve(life)
    finally:
        # Without a process that has the libraries it is of no use, and to end all sessions takes a while.
        with contextlib.suppress(OSError):
            _say({"ending": True})
        server.kill_all()


def _serve_plain(scratch: str, meeting: str) -> None:
    try:
        libraries.load(None)
    except ImportError as error:
        _say({"ready": False, "wants": "libraries", "message": str(error)})
        return
    time_stamps.learn(scratch)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    server = ForkServer(None, scratch, meeting, ForkLauncher(_address_space()), memory_watch.own_bytes("self"))
    _say({"ready": True, "seccomp": False, "landlock": 0})
    # What a session started does not end with its process: the server has to outlive the supervisor to end all of it.
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 0)
    try:
        server.serve(None)
    finally:
        server.kill_all()


def main() -> None:
    """Isolates itself, imports, and serves."""
    isolation, scratch, meeting = sys.argv[1:]
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    if isolation == "namespaces":
        _serve_isolated(scratch, meeting)
    else:
        _serve_plain(scratch, meeting)


main()
