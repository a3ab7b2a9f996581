"""The line between the supervisor and an interpreter: short calls go over it past the session's first process.

That process hears of each call from the supervisor and of its end from the interpreter, and watches it as any other.
What comes over the line the code may have written itself, as it may print what it likes. All that has an end of it is
ended, and what it sent read, before the line serves another session.
"""

import fcntl
import select
import socket
import struct
import termios
from typing import Any

from frames import encode, receive_frame

# Of a result; a longer one, or one with images, goes through the first process.
MOST_BYTES = 64 * 1024


def drain(line: socket.SocketType) -> None:
    """Drops calls that nobody has read."""
    try:
        while line.recv(MOST_BYTES, socket.MSG_DONTWAIT):
            pass
    except OSError:
        # There is no more, or the supervisor has given the line up.
        pass


def _count(line: socket.SocketType, request: int) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(line.fileno(), request, b"\0\0\0\0"))
    return int(count)


def all_read(line: socket.SocketType) -> bool:
    """Whether the supervisor has read all that was sent."""
    return _count(line, termios.TIOCOUTQ) == 0


def unread(line: socket.SocketType) -> bool:
    """Whether a call has come that no interpreter has read."""
    return _count(line, termios.FIONREAD) > 0


class Doors:
    """Where an interpreter gets its messages: the session's channel, and the line, if it has one."""

    def __init__(self, channel: socket.SocketType, line: socket.SocketType | None) -> None:
        self._channel = channel
        self._line = line
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)
        if line is not None:
            self._poll.register(line.fileno(), select.POLLIN)
        # Whether the last message came over the line.
        self.direct = False

    def wait(self, milliseconds: float) -> bool:
        """Whether something comes within a time."""
        return bool(self._poll.poll(milliseconds))

    def receive(self) -> dict[str, Any] | None:
        """The next message; None where the session is gone."""
        line = self._line
        while line is not None:
            handles = [handle for handle, _ in self._poll.poll()]
            if line.fileno() not in handles:
                break
            message = self._from(line)
            if message is not None:
                self.direct = True
                return message
            # The supervisor has given it up.
            self._poll.unregister(line.fileno())
            self._line = line = None
        self.direct = False
        return receive_frame(self._channel)

    def _from(self, line: socket.SocketType) -> dict[str, Any] | None:
        try:
            return receive_frame(line)
        except (OSError, ValueError):
            return None

    def tell(self, result: dict[str, Any]) -> bool:
        """Sends the result of a call that came over the line the same way; False where it has to go the other one."""
        if self._line is None or result.get("parts"):
            return False
        frame = encode(result)
        if len(frame) > MOST_BYTES:
            return False
        try:
            self._line.sendall(frame)
        except OSError:
            return False
        return True

    def drop_unread(self) -> None:
        """Drops what was meant for the process that this one replaces: its call has failed, and must not run now."""
        drain(self._channel)
        if self._line is not None:
            drain(self._line)
