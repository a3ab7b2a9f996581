"""Messages over a stream socket: four bytes of length, big-endian, then JSON in UTF-8."""

import json
import socket
import struct
from typing import Any

MAXIMUM_BYTES = 512 * 1024 * 1024


def send_frame(connection: socket.socket, message: dict[str, Any]) -> None:
    """Sends one message whole."""
    body = json.dumps(message, separators=(",", ":")).encode()
    connection.sendall(struct.pack(">I", len(body)) + body)


def _receive(connection: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def receive_frame(connection: socket.socket) -> dict[str, Any] | None:
    """Waits for one message; None where the other end is gone. Raises ValueError for what is no frame."""
    head = _receive(connection, 4)
    if head is None:
        return None
    (length,) = struct.unpack(">I", head)
    if length > MAXIMUM_BYTES:
        raise ValueError(f"expected a frame of at most {MAXIMUM_BYTES} bytes, got {length}")
    body = _receive(connection, length)
    if body is None:
        return None
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError(f"expected an object, got {type(message).__name__}")
    return message
