"""One session: its folder, the interpreter of its code with a snapshot to go back to, and the deadline of each call."""

import contextlib
import os
import signal
import socket
import time
from typing import Any

import channel
import direct_line
import memory_watch
import passing_on
import process_tree
from channel import Channel
from checked_result import checked_result, most_commas
from failures import failed
from frames import finish_frame, receive_frame, send_frame
from launching import Launcher, LaunchError
from saved_images import save_images
from signs import OUT_OF_MEMORY, WAKE
from work_folder import WorkFolder, WorkFolderError

_SETTLE_SECONDS = 5.0
_READY_SECONDS = 25.0
_DEATH_SECONDS = 1.0
_MEBIBYTE = 1024 * 1024
# With what an interpreter says that a call has ended whose result it has told to the supervisor.
_TOLD = ("ok", "no_output", "exception", "memory")
_PLACE = "session"


def session_place(folder: str) -> str:
    """Where the code of a session with that folder begins."""
    return f"{folder}/{_PLACE}"


class InputError(ValueError):
    """Raised for an input image that does not decode."""


class _Process:
    """A process of the session, by pid and pidfd."""

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self.handle = handle

    def ended(self, seconds: float = 0.0) -> bool:
        return channel.ended(self.handle, seconds)

    def send(self, number: int) -> None:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self.handle, number)

    def forget(self) -> None:
        os.close(self.handle)


class _LastPid:
    """The pid that this namespace gave last: as long as it stays, and its process lives, nothing was started."""

    def __init__(self) -> None:
        self._file = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
        self._known = b""

    def _read(self) -> bytes:
        return os.pread(self._file, 128, 0).rpartition(b" ")[2]

    def close(self) -> None:
        os.close(self._file)

    def remember(self) -> None:
        self._known = self._read()

    def expect(self, pid: int) -> None:
        """Has only that one be the last."""
        self._known = b"%d\n" % pid

    def forget(self) -> None:
        self._known = b""

    def same(self) -> bool:
        return self._known == self._read()


class Session:
    """Runs calls one after the other.

    An interpreter is forked ahead, before the configuration is known, and waits on `begun` for `start`. `settle`
    belongs after each reply: it does what the next call needs and the last one's sender does not wait for.
    """

    def __init__(
        self, folder: str, launcher: Launcher, begun: Channel, line: socket.socket | None, inherited: int
    ) -> None:
        """`inherited` is the memory that an interpreter shares with all others, bytes.

        `line` is the interpreter's to the supervisor, which an isolated session has.
        """
        self._launcher = launcher
        self._inherited = inherited
        self._line = line
        self._isolated = isolated = line is not None
        self._place = session_place(folder)
        os.mkdir(self._place)
        self._work = WorkFolder(folder)
        self._config: dict[str, Any] = {}
        self._limits: dict[str, Any] = {}
        self._stateful = True
        self._ahead = True
        self._unsettled = False
        self._pending: dict[str, Any] | None = None
        self._snapshot: _Process | None = None
        self._retired: _Process | None = None
        self._spoilt = False
        self._last_pid = _LastPid()
        self._channel = begun
        # Whether the supervisor may send the next call to the interpreter itself.
        self._straight = False
        # What has come behind the word of such a call, which the supervisor does not wait for.
        self._unread = b""
        # What is left to send of a call that was passed on before it was read.
        self._passed: bytes | None = None
        self._called = 0.0
        self._started = False
        # Until something about it is in doubt, what holds it may hold another one after it.
        self._sound = isolated

    def start(self, *, hurried: bool = False) -> None:
        """Has the interpreter get ready for a configuration that is not known yet, or with less care `hurried`.

        Raises LaunchError.
        """
        self._launcher.release(self._channel, awaited=hurried)
        self._enlist()

    def _enlist(self) -> None:
        pid = self._launcher.released(self._channel)
        handle = channel.open_process(pid)
        if handle is None:
            raise LaunchError("no process for the code: it ended at its start")
        self._live = _Process(pid, handle)
        self._started = True

    def _renew(self) -> None:
        self._channel = self._launcher.begin(self._place, self._line)
        self._started = False

    def _introduce(self, call: dict[str, Any] | None = None) -> None:
        """Gives the interpreter its configuration, and waits for the namespace that the first call sees.

        A call that goes with it runs at once.
        """
        deadline = time.monotonic() + _READY_SECONDS
        self._channel.most_commas = most_commas(self._limits)
        try:
            if not self._started:
                self._launcher.release(self._channel, awaited=True)
            self._channel.send(self._config if call is None else {**self._config, "call": call}, deadline)
            if not self._started:
                self._enlist()
            answer = self._receive(deadline)
        except ConnectionError as error:
            # It decodes nothing before it has read all of it.
            raise LaunchError(f"no process for the code: {error!r}") from error
        except (OSError, ValueError, memory_watch.MemoryExceededError) as error:
            raise InputError(f"the images cannot be decoded within the limits: {type(error).__name__}") from error
        if answer is None or answer.get("ready") is not True:
            raise InputError(str((answer or {}).get("message", "decoding took more than the session may")))

    def configure(self, config: dict[str, Any], call: dict[str, Any] | None) -> None:
        """Makes the session what its request says, and has it begin with a call, if it came with one.

        `execute` has to follow for that. Raises InputError for an image that does not decode.
        """
        self._limits = config["limits"]
        self._stateful = config["state"] == "stateful"
        self._ahead = config["rollback"] == "ahead"
        try:
            self._config, written = save_images(config, self._place)
        except (ValueError, OSError) as error:
            raise InputError(str(error)) from error
        self._work.keep({f"{_PLACE}/{name}": content for name, content in written.items()})
        # A snapshot of what was before the call has to be taken first, where every call begins anew.
        at_once = call is not None and (self._stateful or not self._ahead)
        self._introduce(call if at_once else None)
        if at_once:
            self._called = time.monotonic()
            self._passed = b""
        if self._isolated:
            # Before any code the interpreter is alone, unless an image had it start something.
            self._last_pid.expect(self._live.pid)

    def prepare(self) -> None:
        """What the first call needs and the opening need not wait for."""
        if not self._stateful and self._ahead:
            self._take_snapshot()

    def _receive(self, deadline: float) -> dict[str, Any] | None:
        most = self._limits["memoryMib"] * _MEBIBYTE
        watch = lambda: memory_watch.check(self._processes(), self._inherited, most)  # noqa: E731
        return self._channel.receive(deadline, self._live.handle, watch)

    def _processes(self) -> set[int]:
        if self._isolated:
            # All of the pid namespace: the interpreter's parent is outside of it.
            return set(process_tree.living()) - {os.getpid()}
        return process_tree.descendants(os.getpid())

    def _kept(self) -> set[int]:
        return {process.pid for process in (self._live, self._snapshot) if process is not None}

    def _end_others(self, kept: set[int]) -> bool:
        """Ends every process of the session but those; False where they multiply faster than they can be ended."""
        if self._isolated and self._last_pid.same():
            return True
        return process_tree.end_all(self._processes, kept)

    def _retire(self, process: _Process) -> None:
        """Ends a process that nobody waits for."""
        if self._retired is not None:
            self._retired.forget()
        process.send(signal.SIGKILL)
        self._retired = process

    def _forget_all(self) -> None:
        if not process_tree.end_all(self._processes, set()) and self._isolated:
            # The first process of a pid namespace ends all others at one stroke.
            os.kill(-1, signal.SIGKILL)
            process_tree.reap()
        for process in (self._live, self._snapshot):
            if process is not None:
                process.forget()
        self._channel.close()
        self._snapshot = None

    def _begin_again(self) -> None:
        """The next call starts from the input images."""
        self._last_pid.forget()
        self._forget_all()
        self._work.restore()
        self._renew()
        self._introduce()
        self._spoilt = False

    def _adopt(self, message: dict[str, Any] | None) -> bool:
        """Takes the processes that a settled interpreter names; False where it does not tell the truth."""
        processes = self._processes()
        pids = [(message or {}).get(key) for key in ("live", "snapshot")]
        if any(type(pid) is not int or pid not in processes for pid in pids) or pids[0] == pids[1]:
            return False
        handles = [channel.open_process(pid) for pid in pids if type(pid) is int]
        found = [_Process(pid, handle) for pid, handle in zip(pids, handles, strict=True) if pid and handle is not None]
        if len(found) != 2:
            for process in found:
                process.forget()
            return False
        self._live.forget()
        if self._snapshot is not None:
            self._retire(self._snapshot)
        self._live, self._snapshot = found
        kept = {process.pid for process in found}
        others = self._processes() - kept
        if self._retired is not None:
            others.discard(self._retired.pid)
        if others and not process_tree.end_all(self._processes, kept):
            return False
        if self._isolated:
            self._last_pid.remember()
        return True

    def _take_snapshot(self) -> None:
        deadline = time.monotonic() + _SETTLE_SECONDS
        try:
            self._channel.drain()
            self._channel.send({"settle": True}, deadline)
            settled = self._adopt(self._receive(deadline))
        except (OSError, ValueError, memory_watch.MemoryExceededError):
            settled = False
        if not settled:
            self._sound = False
            if self._live.ended(_DEATH_SECONDS) and self._exit_code() == OUT_OF_MEMORY:
                what = "the code left no memory to go on with: its variables are gone"
                self._pending = failed("memory", "MemoryLimit", what)
            else:
                self._pending = failed("policy", "Tampering", "the code left an interpreter that does not answer")
            self._begin_again()

    def _go_back(self, problem: dict[str, Any]) -> None:
        """Puts the snapshot in the place of a live interpreter that ended; without one the next call is `problem`."""
        self._work.restore()
        self._spoilt = False
        if self._snapshot is None:
            self._begin_again()
            return
        self._live.forget()
        self._live, self._snapshot = self._snapshot, None
        deadline = time.monotonic() + _SETTLE_SECONDS
        try:
            self._channel.drain()
            self._live.send(WAKE)
            self._live.send(signal.SIGCONT)
            settled = self._adopt(self._receive(deadline))
        except (OSError, ValueError, memory_watch.MemoryExceededError):
            settled = False
        if not settled:
            self._sound = False
            self._pending = problem
            self._begin_again()

    def settle(self) -> None:
        """After a reply: gets ready to undo the next call, now or, with the interpreter at rest, when it comes."""
        if self._ahead:
            self._get_ready()
            return
        self._unsettled = True
        if not self._spoilt:
            self._live.send(signal.SIGSTOP)

    def _get_ready(self) -> None:
        """Undoes the last call where it failed, else makes its state the one to go back to."""
        if self._unsettled:
            self._unsettled = False
            self._live.send(signal.SIGCONT)
        if self._spoilt:
            self._go_back(failed("policy", "Tampering", "the code ended the process that keeps its variables"))
        else:
            self._take_snapshot()

    def _exit_code(self) -> int | None:
        """How the interpreter ended, once: a signal stands below zero; None where that is not known."""
        status = self._launcher.status_of(self._live.pid)
        return None if status is None else os.waitstatus_to_exitcode(status)

    def _death(self, seconds: float) -> dict[str, Any]:
        # A dying process closes its channel some time before it is gone.
        if not self._live.ended(_DEATH_SECONDS):
            return failed("policy", "Tampering", "the code closed the channel of its interpreter")
        code = self._exit_code()
        if code == -signal.SIGXCPU:
            return failed("timeout", "TimeLimit", f"the code used more processor time than {seconds:g} seconds allow")
        if code == -signal.SIGKILL:
            return failed("memory", "MemoryLimit", "the code was killed, as the system does for want of memory")
        if code == OUT_OF_MEMORY:
            return failed("memory", "MemoryLimit", "the code left no memory to report its result")
        if code is None or code >= 0:
            return failed("exception", "SystemExit", f"the code left its interpreter with exit code {code}")
        return failed("exception", "Crash", f"the code crashed its interpreter (signal {-code})")

    def _lost(self) -> dict[str, Any]:
        """What it means that the interpreter ended with no call to run."""
        if self._exit_code() in (None, -signal.SIGKILL):
            return failed("infrastructure", "SandboxLost", "the processes of the session were ended from outside")
        return failed("policy", "Tampering", "the code had its own interpreter end after the call")

    def _send_call(self, code: str | None, seconds: float, deadline: float) -> None:
        if code is None:
            return
        if self._passed is None:
            self._channel.drain()
            self._channel.send({"code": code, "seconds": seconds}, deadline)
        elif self._passed:
            self._channel.send_bytes(self._passed, deadline)

    def _outcome(self, code: str | None, seconds: float) -> dict[str, Any]:
        """Of a call that has its code from the supervisor itself only what it ended with may be there, as `told`."""
        deadline = (time.monotonic() if self._passed is None else self._called) + seconds
        try:
            self._send_call(code, seconds, deadline)
            message = self._receive(deadline)
        except TimeoutError:
            return failed("timeout", "TimeLimit", f"the code ran longer than {seconds:g} seconds")
        except memory_watch.MemoryExceededError:
            return failed("memory", "MemoryLimit", f"the code held more than {self._limits['memoryMib']} MiB")
        except (OSError, ValueError) as error:
            return failed("policy", "Tampering", f"the code disturbed its own interpreter: {error}")
        if message is None:
            return self._death(seconds)
        if code is None and message.keys() == {"told"} and message["told"] in _TOLD:
            return {"told": True, "error": None if message["told"] in ("ok", "no_output") else message}
        result = checked_result(message, self._limits)
        return result or failed("policy", "Tampering", "the code changed what its interpreter reports")

    def _committed(self, result: dict[str, Any]) -> dict[str, Any]:
        """Keeps what a call left in the folder, and ends what it started."""
        if not self._end_others(self._kept()):
            return failed("policy", "Processes", "the code starts processes faster than they can be ended")
        if self._live.ended():
            return failed("policy", "Tampering", "the code ended its own interpreter")
        try:
            self._work.keep()
        except WorkFolderError as error:
            return failed("policy", "WorkFolder", str(error))
        return result

    def _call(self, code: str, seconds: float) -> dict[str, Any]:
        if self._unsettled:
            self._get_ready()
        if self._passed is None and self._live.ended():
            # No code has run since the last call was settled; the snapshot is the same state.
            self._go_back(self._lost())
        if self._pending is not None:
            result, self._pending = self._pending, None
            return result
        return self._finished(self._outcome(code, seconds))

    def _finished(self, result: dict[str, Any]) -> dict[str, Any]:
        """Ends what a call left, and keeps what it did, if it went well; the result that it has then."""
        if result["error"] is None and self._stateful:
            result = self._committed(result)
        if result["error"] is not None or not self._stateful:
            self._spoilt = True
            kept = set() if self._snapshot is None else {self._snapshot.pid}
            if not process_tree.end_all(self._processes, kept):
                self._sound = False
                self._forget_all()
                self._renew()
                self.start()
                result = failed("policy", "Processes", "the code starts processes faster than they can be ended")
        return result

    def next_request(self, connection: socket.socket) -> dict[str, Any] | None:
        """The supervisor's next message; None where it has closed the connection.

        A call that nothing stands in the way of is passed on to its interpreter as it came.
        """
        self._passed = None
        at_rest = self._pending is None and not self._unsettled and not self._spoilt
        if at_rest and not self._straight:
            self._channel.drain()
        if self._unread:
            first, lives = self._unread, not self._live.ended()
        else:
            first, lives = passing_on.first_bytes(connection, self._live.handle)
        first, self._unread = passing_on.cut(first)
        self._called = time.monotonic()
        if at_rest and lives and passing_on.is_call(first):
            # One that cannot be sent is found out, and answered, as one that is not passed on.
            with contextlib.suppress(OSError):
                self._passed = self._channel.begin_to_send(first)
        return finish_frame(connection, first) if first else None

    def execute(self, request: dict[str, Any]) -> dict[str, Any]:
        """Runs one call; `settle` has to follow."""
        if self._passed is None:
            self._called = time.monotonic()
        return self._reported(self._call(request["code"], request["seconds"]))

    def _reported(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result as the supervisor gets it."""
        if result["outcome"] in ("policy", "infrastructure"):
            self._sound = False
        return {**result, "durationMs": (time.monotonic() - self._called) * 1000}

    def follow(self, seconds: float) -> dict[str, Any] | None:
        """Watches a call that the supervisor has sent to the interpreter itself; `settle` has to follow.

        The result, where the interpreter has not told it to the supervisor.
        """
        self._called = time.monotonic()
        if self._live.ended() and self._line is not None and direct_line.unread(self._line):
            # Before it had the call.
            lost = self._lost()
            self._go_back(lost)
            return self._reported(lost)
        outcome = self._outcome(None, seconds)
        result = self._finished(outcome)
        if "told" not in outcome:
            return self._reported(result)
        if result is not outcome:
            # The supervisor has a result already: the next call is told.
            self._pending = self._reported(result)
        return None

    def ready(self) -> bool | None:
        """Whether the next call may go to the interpreter straight; None where none ever may."""
        if self._line is None or not self._stateful or not self._ahead:
            return None
        self._straight = self._pending is None and not self._spoilt
        if self._straight:
            # From here on the interpreter may have told of a call before the supervisor's word of it is read.
            self._channel.drain()
        return self._straight

    def end(self) -> bool:
        """Ends every process, and says whether nothing of the session is left but its folder."""
        self._channel.close()
        self._last_pid.close()
        for process in (self._live, self._snapshot, self._retired):
            if process is not None:
                process.forget()
        return self._sound and process_tree.end_namespace(self._launcher.await_end)


def greet(connection: socket.socket, identifier: str, line: socket.socket | None) -> None:
    """Tells the supervisor which session speaks, whether it has a line, and that it takes its configuration."""
    send_frame(connection, {"session": identifier, "hasLine": line is not None})


def serve(connection: socket.socket, session: Session) -> dict[str, Any] | None:
    """Takes the configuration of a session that has greeted, and runs calls until it has an end.

    Returns the supervisor's message that it wants another session after it; None where the connection has closed.
    """
    config = receive_frame(connection)
    if config is None:
        return None
    call = config.pop("call", None)
    try:
        session.configure(config, call)
    except InputError as error:
        send_frame(connection, {"ready": False, "message": str(error)})
        return None
    send_frame(connection, {"ready": True})
    session.prepare()
    request = call or session.next_request(connection)
    while request is not None and "again" not in request:
        result = session.follow(request["direct"]) if "direct" in request else session.execute(request)
        if result is not None:
            send_frame(connection, result)
        session.settle()
        ready = session.ready()
        if ready is not None:
            try:
                send_frame(connection, {"settled": ready})
            except OSError:
                # The supervisor has its result, and may have ended the session.
                return None
        request = session.next_request(connection)
    return request
