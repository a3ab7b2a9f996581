"""The process that holds a session's variables and runs its calls.

Before a call it may fork a snapshot of itself. Where the call fails the session ends this process and wakes the
snapshot, and with it everything is as it was.
"""

import builtins
import contextlib
import os
import signal
import socket
import time
from os import _exit, chdir, setsid
from typing import Any, NoReturn

import one_heap
import process_tree
from capture import Capture
from direct_line import Doors
from failures import failed
from first_namespace import first_namespace
from forking import fork, is_alone
from frames import receive_frame, send_frame
from resource_limits import Hold, allow_seconds
from run_code import run_code
from signs import OUT_OF_MEMORY, WAKE

# How often a process that waits looks whether its session still lives, seconds.
_LOOK_SECONDS = 20.0
# Calls that come within this time of each other are not helped by what is done between them, milliseconds.
_QUIET_MS = 3
# Of every kind of statement that most code has.
_ANY_CODE = """x = [1, 2.5, "text"]
def f(value, *rest, key=None):
    return f"{value}"
for y in x:
    if y != 1 and f(y, key=x):
        z = {y: [w for w in x], "k": (y, x)}
print(x[0], z)
"""
# Between calls no function runs that the code has put in the place of one of Python's own.
_BUILTINS = dict(vars(builtins))
_ANY_LIMITS = {"outputCharacters": 1, "imagesPerCall": 1}


def _result(code: str, namespace: dict[str, Any], capture: Capture, cap: int) -> dict[str, Any]:
    try:
        return run_code(code, namespace, capture, cap)
    except MemoryError:
        namespace.clear()
        return failed("memory", "MemoryLimit", "no memory was left to report the result")
    except BaseException as error:  # noqa: BLE001 - what code left behind may fail at any point of the report
        return failed("exception", type(error).__name__, "the result of the code cannot be reported")


def _await_end(channel: socket.socket) -> None:
    """Waits for the session to end this process; where the session is gone itself, it ends by itself."""
    while _session_lives(channel):
        time.sleep(_LOOK_SECONDS)
    _exit(0)


def _session_lives(channel: socket.socket) -> bool:
    try:
        return channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True


def _leave_behind(channel: socket.socket) -> None:
    """Ends what would go on between calls: timers, dead children, and threads by going on without them in a fork."""
    signal.alarm(0)
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process_tree.reap()
    if is_alone():
        return
    if os.fork() != 0:
        _await_end(channel)
    os.setsid()


def _here(start: str) -> str:
    try:
        return os.getcwd()
    except OSError:
        return start


def _go(place: str, start: str) -> None:
    # The folder may have been made anew.
    os.chdir(start)
    with contextlib.suppress(OSError):
        os.chdir(place)


def touch(capture: Capture) -> None:
    """Goes the way of a call: after a fork the first write to a page copies it, and the next call need not wait."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send_frame(theirs, {"code": _ANY_CODE, "seconds": 1})
        message = receive_frame(ours) or {}
        namespace = {"__name__": "__main__", "__builtins__": _BUILTINS}
        send_frame(theirs, _result(message["code"], namespace, capture, 64))


def _settle(channel: socket.socket, doors: Doors, start: str) -> None:
    """Forks a snapshot and says so; in the snapshot it returns once that has been woken, with one of its own."""
    _leave_behind(channel)
    place = _here(start)
    one_heap.trim()
    while True:
        signal.pthread_sigmask(signal.SIG_BLOCK, {WAKE})
        snapshot = fork()
        if snapshot != 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {WAKE})
            send_frame(channel, {"live": os.getpid(), "snapshot": snapshot})
            return
        while signal.sigtimedwait({WAKE}, _LOOK_SECONDS) is None:
            if not _session_lives(channel):
                _exit(0)
        doors.drop_unread()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {WAKE})
        with contextlib.suppress(OSError):
            os.setsid()
        _go(place, start)


def serve(
    channel: socket.SocketType, line: socket.SocketType | None, folder: str, hold: Hold, *, awaited: bool
) -> None:
    """Takes the session's configuration, and runs calls until the channel closes; `awaited`, it loses no time."""
    if not awaited:
        touch(Capture(_ANY_LIMITS))
    config = receive_frame(channel)
    if config is None:
        return
    limits = config["limits"]
    hold(limits)
    try:
        namespace = first_namespace(config, folder)
    except Exception as error:  # noqa: BLE001 - whatever a broken image raises
        send_frame(channel, {"ready": False, "message": f"{type(error).__name__}: {error}"})
        return
    capture = Capture(limits)
    capture.look()
    allow_seconds(limits["callSeconds"])
    send_frame(channel, {"ready": True})
    doors = Doors(channel, line)
    message = config.get("call") or doors.receive()
    while message is not None:
        if "code" in message:
            if message["seconds"] < limits["callSeconds"]:
                allow_seconds(message["seconds"])
            result = _result(message["code"], namespace, capture, limits["outputCharacters"])
            told = doors.direct and doors.tell(result)
            send_frame(channel, {"told": result["outcome"]} if told else result)
        else:
            _settle(channel, doors, folder)
            # The code may hold all the files that it may open, or all the memory, or refuse what Python does.
            # What ended this process here would end each snapshot of it.
            with contextlib.suppress(BaseException):
                allow_seconds(limits["callSeconds"])
                capture.look()
                if not doors.wait(_QUIET_MS):
                    touch(capture)
        message = doors.receive()


def start(
    channel: socket.SocketType, line: socket.SocketType | None, folder: str, hold: Hold, *, awaited: bool
) -> NoReturn:
    """Makes this process, just forked, the interpreter of a session."""
    try:
        with contextlib.suppress(OSError):
            setsid()
        chdir(folder)
        serve(channel, line, folder, hold, awaited=awaited)
    except MemoryError:
        _exit(OUT_OF_MEMORY)
    finally:
        _exit(1)
