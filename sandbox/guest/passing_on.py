"""A call on its way from the supervisor to its interpreter, which wakes up while the session reads what it is."""

import socket

from channel import poll_of

_READ_BYTES = 64 * 1024
# How the supervisor's message of a call begins.
_CALL = b'{"code":'


def first_bytes(connection: socket.socket, process: int) -> tuple[bytes, bool]:
    """Waits for a message: its first bytes, none where the other end is gone, and whether the process still lives.

    The process is given by its pidfd.
    """
    ended = any(number == process for number, _ in poll_of(connection.fileno(), process).poll())
    try:
        return connection.recv(_READ_BYTES), not ended
    except ConnectionError:
        # It did not read the last that it was told.
        return b"", not ended


def cut(content: bytes) -> tuple[bytes, bytes]:
    """The first message, or what there is of it, and what follows it; it has no parts."""
    end = 4 + int.from_bytes(content[:4])
    return (content[:end], content[end:]) if len(content) > end else (content, b"")


def is_call(message: bytes) -> bool:
    """Whether this is a whole call, which an interpreter takes as it is."""
    return message[4:12] == _CALL and int.from_bytes(message[:4]) == len(message) - 4
