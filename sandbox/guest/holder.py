"""The process that holds a session's variables: each call runs in a fork of it.

A call that ran makes its fork the new holder; a call that failed leaves the old one, and with it everything as it was.
"""

import os
import signal
import socket
from typing import Any

from frames import receive_frame, send_frame
from run_code import run_code

REPORTED = 77


def hold(channel: socket.socket, namespace: dict[str, Any], limits: dict[str, Any], stateful: bool) -> None:
    """Serves calls until the channel closes; never returns."""
    while True:
        message = receive_frame(channel)
        if message is None:
            os._exit(0)
        holder = os.getpid()
        child = os.fork()
        if child == 0:
            os.setsid()
            send_frame(channel, {"started": os.getpid()})
            result = run_code(message["code"], namespace, limits)
            if result["error"] is not None or not stateful:
                send_frame(channel, result)
                os._exit(REPORTED)
            os.kill(holder, signal.SIGKILL)
            send_frame(channel, {**result, "holder": os.getpid()})
            continue
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == REPORTED:
            send_frame(channel, {"reaped": child})
        else:
            signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            send_frame(channel, {"died": signalled, "code": os.WEXITSTATUS(status) if not signalled else None})
