"""The process that holds a session's variables: each call runs in a fork of it.

A call that ran makes its fork the new holder; a call that failed leaves the old one, and with it everything as it was.
"""

import contextlib
import os
import signal
import socket
from os import _exit
from typing import Any

import process_tree
from capture import Capture
from failures import failed
from frames import receive_frame, send_frame
from run_code import run_code

_REPORTED = 77


def _result(code: str, namespace: dict[str, Any], capture: Capture, cap: int) -> dict[str, Any]:
    try:
        return run_code(code, namespace, capture, cap)
    except MemoryError:
        namespace.clear()
        return failed("memory", "MemoryLimit", "no memory was left to report the result")
    except BaseException as error:  # noqa: BLE001 - what code left behind may fail at any point of the report
        return failed("exception", type(error).__name__, "the result of the code cannot be reported")


def _go_on_without_threads() -> None:
    """Leaves threads that the code started to a process that the session ends with the call."""
    if len(os.listdir("/proc/self/task")) == 1:
        return
    if os.fork() != 0:
        while True:
            signal.pause()
    os.setsid()


def _call(channel: socket.socket, result: dict[str, Any], stateful: bool) -> None:
    if result["error"] is not None or not stateful:
        send_frame(channel, result)
        _exit(_REPORTED)
    _go_on_without_threads()
    send_frame(channel, {**result, "holder": os.getpid()})


def _ending(status: int) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        return {"died": os.WTERMSIG(status), "code": None}
    code = os.WEXITSTATUS(status)
    return {"reaped": True} if code == _REPORTED else {"died": 0, "code": code}


def hold(channel: socket.socket, namespace: dict[str, Any], limits: dict[str, Any], stateful: bool) -> None:
    """Serves calls until the channel closes; never returns. The session ends the holder that a call replaces."""
    cap = limits["outputCharacters"]
    capture = Capture(limits)
    start = os.getcwd()
    place = start
    while (message := receive_frame(channel)) is not None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        process_tree.reap()
        try:
            child = os.fork()
        except OSError as error:
            send_frame(channel, failed("infrastructure", "SandboxLost", f"no process for the code: {error.strerror}"))
            send_frame(channel, {"reaped": True})
            continue
        if child != 0:
            _, status = os.waitpid(child, 0)
            send_frame(channel, _ending(status))
            continue
        os.setsid()
        # The folder may have been made anew since the last call.
        os.chdir(start)
        with contextlib.suppress(OSError):
            os.chdir(place)
        _call(channel, _result(message["code"], namespace, capture, cap), stateful)
        try:
            place = os.getcwd()
        except OSError:
            place = start
    _exit(0)
