"""The session's end of the channel to its interpreter, which may die, stall or write garbage at any moment."""

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from frames import decode, encode, lengths_of, split

_MAXIMUM_BYTES = 256 * 1024 * 1024
_READ_BYTES = 64 * 1024
_WATCH_SECONDS = 0.05


@lru_cache(maxsize=64)
def poll_of(*handles: int) -> select.poll:
    """Tells which of some handles can be read. It holds nothing but their numbers, so that the next use finds it."""
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    return poll


class Channel:
    """Reads messages with a deadline while it watches the process that should send them."""

    def __init__(self) -> None:
        self._ours, self.theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._number = self._ours.fileno()
        self._buffer = bytearray()
        # A message whose parts are still to come, and what is empty of the room for them.
        self._message: dict[str, Any] | None = None
        self._empty = memoryview(bytearray())
        # Commas of the longest message that is none of garbage: what has more would take long to decode.
        self.most_commas = 1000

    def close(self) -> None:
        """Closes both ends."""
        self._ours.close()
        self.theirs.close()

    def close_theirs(self) -> None:
        """For the session: the other end belongs to the interpreter alone."""
        self.theirs.close()

    def keep_theirs(self) -> socket.socket:
        """For the interpreter: only its own end stays open."""
        self._ours.close()
        return self.theirs

    def drain(self) -> None:
        """Drops what nobody asked for."""
        self._buffer.clear()
        self._message = None
        try:
            while self._ours.recv(_READ_BYTES):
                pass
        except BlockingIOError:
            pass

    def begin_to_send(self, content: bytes) -> bytes:
        """Sends as much as there is room for; returns the rest. Raises OSError where the other end is closed."""
        try:
            return content[self._ours.send(content) :]
        except BlockingIOError:
            return content

    def send(self, message: dict[str, Any], deadline: float) -> None:
        """Sends a message whole. Raises TimeoutError past the deadline."""
        self.send_bytes(encode(message), deadline)

    def send_bytes(self, content: bytes, deadline: float) -> None:
        """Sends bytes whole. Raises TimeoutError past the deadline."""
        rest = memoryview(content)
        while rest:
            try:
                rest = rest[self._ours.send(rest) :]
            except BlockingIOError:
                seconds = deadline - time.monotonic()
                if seconds <= 0 or not select.select([], [self._ours], [], seconds)[1]:
                    raise TimeoutError from None

    def receive(self, deadline: float, process: int, watch: Callable[[], None]) -> dict[str, Any] | None:
        """The next message; None where the process, given by its pidfd, ended or closed its end before it.

        `watch` is called now and then. Raises TimeoutError past the deadline, ValueError for what is no message.
        """
        message = self._next()
        if message is not None:
            return message
        ours = self._number
        poll = poll_of(ours, process)
        now = time.monotonic()
        look = now + _WATCH_SECONDS
        while True:
            if now >= deadline:
                raise TimeoutError
            ready = [number for number, _ in poll.poll((min(deadline, look) - now) * 1000)]
            if ours in ready:
                if not self._read():
                    return None
                message = self._next()
                if message is not None:
                    return message
            elif process in ready:
                return None
            now = time.monotonic()
            # Also while something comes: code may send it byte by byte, so as not to be looked at.
            if now >= look:
                watch()
                look = now + _WATCH_SECONDS

    def _read(self) -> int:
        """Reads some of what has come; 0 where the other end is closed."""
        if self._message is not None:
            count = self._ours.recv_into(self._empty)
            self._empty = self._empty[count:]
            return count
        part = self._ours.recv(_READ_BYTES)
        self._buffer += part
        return len(part)

    def _next(self) -> dict[str, Any] | None:
        if self._message is None:
            self._begin()
        if self._message is None or self._empty:
            return None
        message, self._message = self._message, None
        return message

    def _begin(self) -> None:
        """Takes a message that is there but for its parts, and what there is of these."""
        if len(self._buffer) < 4:
            return
        (length,) = struct.unpack_from(">I", self._buffer)
        if length > _MAXIMUM_BYTES:
            raise ValueError(f"expected a message of at most {_MAXIMUM_BYTES} bytes, got {length}")
        if len(self._buffer) < 4 + length:
            return
        if self._buffer.count(b",", 4, 4 + length) > self.most_commas:
            raise ValueError(f"expected a message of at most {self.most_commas} parts")
        try:
            message = decode(self._buffer[4 : 4 + length])
        except RecursionError as error:
            raise ValueError("expected a message of a few levels") from error
        lengths = lengths_of(message, _MAXIMUM_BYTES - length)
        del self._buffer[: 4 + length]
        count = sum(lengths)
        begun = self._buffer[:count]
        del self._buffer[:count]
        content = bytearray(count)
        content[: len(begun)] = begun
        self._empty = memoryview(content)[len(begun) :]
        if lengths:
            message["parts"] = split(content, lengths)
        self._message = message


def ended(process: int, seconds: float = 0.0) -> bool:
    """Whether the process of a pidfd has ended, or does so within a time."""
    return bool(poll_of(process).poll(seconds * 1000))


def open_process(pid: int) -> int | None:
    """A pidfd; None where there is no such process."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
