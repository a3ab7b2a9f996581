"""Messages over a stream socket: four bytes of length, big-endian, then JSON in UTF-8, then the bytes of its parts.

A message may have `parts`, a list of bytes: in the JSON stand their lengths, and they follow it as they are.
"""

import json
import socket
import struct
from typing import Any

MAXIMUM_BYTES = 512 * 1024 * 1024


def encode(message: dict[str, Any]) -> bytes:
    """One message whole."""
    parts = message.get("parts", ())
    if parts:
        message = {**message, "parts": [len(part) for part in parts]}
    body = json.dumps(message, separators=(",", ":")).encode()
    return b"".join((struct.pack(">I", len(body)), body, *parts))


def lengths_of(message: dict[str, Any], most: int) -> list[int]:
    """The lengths of the parts that follow a message. Raises ValueError where they are none, or more than `most`."""
    lengths = message.get("parts", [])
    if not isinstance(lengths, list) or any(type(one) is not int or one < 0 for one in lengths):
        raise ValueError("expected parts with a length each")
    if sum(lengths) > most:
        raise ValueError(f"expected parts of at most {most} bytes, got {sum(lengths)}")
    return lengths


def split(content: bytes, lengths: list[int]) -> list[bytes]:
    """The parts of those lengths that stand one after the other."""
    parts, start = [], 0
    for length in lengths:
        parts.append(content[start : start + length])
        start += length
    return parts


def send_frame(connection: socket.socket, message: dict[str, Any]) -> None:
    """Sends one message whole."""
    connection.sendall(encode(message))


def _receive(connection: socket.socket, count: int) -> bytes | None:
    first = connection.recv(min(count, 1 << 20))
    if len(first) == count:
        return first
    content = bytearray(count)
    content[: len(first)] = first
    rest = memoryview(content)[len(first) :]
    while first and rest:
        got = connection.recv_into(rest)
        if not got:
            return None
        rest = rest[got:]
    return bytes(content) if first else None


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
    lengths = lengths_of(message, MAXIMUM_BYTES - length)
    if lengths:
        content = _receive(connection, sum(lengths)) if sum(lengths) else b""
        if content is None:
            return None
        message["parts"] = split(content, lengths)
    return message
