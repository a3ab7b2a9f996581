"""Messages over a stream socket: four bytes of length, big-endian, then JSON in UTF-8, then the bytes of its parts.

A message may have `parts`, a list of bytes: in the JSON stand their lengths, and they follow it as they are.
"""

import json
import socket
import struct
from typing import Any

# What can be sent as it is.
Buffer = bytes | bytearray | memoryview

MAXIMUM_BYTES = 512 * 1024 * 1024
# Most messages are shorter, and come with one read.
_READ_BYTES = 16 * 1024
# Linux takes twice as many at once.
_MOST_PIECES = 512

# Made once: both are made anew, and a decoder looks for spaces with regular expressions, at each call of `json`.
_encoder = json.JSONEncoder(separators=(",", ":"))
_decoder = json.JSONDecoder()


def _pieces(message: dict[str, Any]) -> list[Buffer]:
    """One message: all that comes before its parts, and these."""
    parts = message.get("parts", ())
    if parts:
        message = {**message, "parts": [len(part) for part in parts]}
    body = _encoder.encode(message).encode()
    return [struct.pack(">I", len(body)) + body, *parts]


def encode(message: dict[str, Any]) -> bytes:
    """One message whole."""
    return b"".join(_pieces(message))


def lengths_of(message: dict[str, Any], most: int) -> list[int]:
    """The lengths of the parts that follow a message. Raises ValueError where they are none, or more than `most`."""
    lengths = message.get("parts", [])
    if not isinstance(lengths, list) or any(type(one) is not int or one < 0 for one in lengths):
        raise ValueError("expected parts with a length each")
    if sum(lengths) > most:
        raise ValueError(f"expected parts of at most {most} bytes, got {sum(lengths)}")
    return lengths


def split(content: bytearray, lengths: list[int]) -> list[memoryview]:
    """The parts of those lengths that stand one after the other; they are not copied."""
    parts, start, whole = [], 0, memoryview(content)
    for length in lengths:
        parts.append(whole[start : start + length])
        start += length
    return parts


def send_frame(connection: socket.SocketType, message: dict[str, Any]) -> None:
    """Sends one message whole."""
    first, *parts = _pieces(message)
    if not parts:
        connection.sendall(first)
        return
    rest = [memoryview(piece) for piece in (first, *parts)]
    while rest:
        sent = connection.sendmsg(rest[:_MOST_PIECES])
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if rest:
            rest[0] = rest[0][sent:]


def decode(body: bytes | bytearray) -> dict[str, Any]:
    """The object of a message. Raises ValueError for anything else."""
    text = body.decode()
    message, end = _decoder.raw_decode(text)
    if not isinstance(message, dict) or end != len(text):
        raise ValueError(f"expected an object, got {type(message).__name__}")
    return message


def _whole(connection: socket.SocketType, first: bytes, count: int) -> bytearray | None:
    """`count` bytes, of which the first have come; None where the other end is gone before the last."""
    content = bytearray(count)
    content[: len(first)] = first
    rest = memoryview(content)[len(first) :]
    while rest:
        got = connection.recv_into(rest)
        if not got:
            return None
        rest = rest[got:]
    return content


def receive_frame(connection: socket.SocketType) -> dict[str, Any] | None:
    """Waits for one message; None where the other end is gone. Raises ValueError for what is no frame.

    The other end sends no further message before the answer to this one.
    """
    first = connection.recv(_READ_BYTES)
    return finish_frame(connection, first) if first else None


def finish_frame(connection: socket.SocketType, first: bytes) -> dict[str, Any] | None:
    """The message whose `first` bytes have come, at least one; None where the other end is gone before its last."""
    if len(first) < 4:
        head = _whole(connection, first, 4)
        if head is None:
            return None
        first = bytes(head)
    (length,) = struct.unpack_from(">I", first)
    if length > MAXIMUM_BYTES:
        raise ValueError(f"expected a frame of at most {MAXIMUM_BYTES} bytes, got {length}")
    begun = first[4 : 4 + length]
    body = begun if len(begun) == length else _whole(connection, begun, length)
    if body is None:
        return None
    message = decode(body)
    lengths = lengths_of(message, MAXIMUM_BYTES - length)
    begun, count = first[4 + length :], sum(lengths)
    if len(begun) > count:
        raise ValueError("expected one message, got more")
    if lengths:
        content = _whole(connection, begun, count)
        if content is None:
            return None
        message["parts"] = split(content, lengths)
    return message
