"""Sessions that nobody asked for, before any is forked.

What the first calls write, all later ones only read: specialized code, caches of types. A session would have to
copy each page of it that it writes to.
"""

import builtins
import contextlib
import io
import os
import resource
import socket
import sys
from collections.abc import Iterator
from typing import Any

import resource_limits
from capture import Capture
from frames import encode
from interpreter import serve, touch
from PIL import Image

_LIMITS = {
    "callSeconds": 60,
    "memoryMib": 1024,
    "outputCharacters": 8192,
    "imagesPerCall": 8,
    "minimumSide": 28,
    "maximumSide": 64,
    "maximumAspect": 200,
}
# Python specializes code that has run about eight times.
_TIMES = 12
_PICTURES = """w, h = input_image.size
part = input_image.crop((w // 4, h // 4, w, h)).resize((w, h)).convert("L")
values = np.asarray(part)
print(part.size, f"{values.mean():.1f}", [int(v) for v in values[0][:3]])
display(part)
input_image
"""


def _encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 20).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[tuple[str, str]]:
    """A folder, and the name in it under which a file with that content can be read."""
    handle = os.memfd_create("image")
    try:
        os.write(handle, content)
        yield "/proc/self/fd", str(handle)
    finally:
        os.close(handle)


def _hold_nothing(limits: dict[str, Any]) -> None:
    """Goes the way of `hold`, with limits that hold already."""
    bounds = resource_limits.bounds_of(limits, 0, isolated=True)
    resource_limits.hold([(name, resource.getrlimit(name)[1]) for name, _ in bounds])


@contextlib.contextmanager
def _left_as_it_was() -> Iterator[None]:
    streams, main = (sys.stdout, sys.stderr, builtins.input), sys.modules["__main__"]
    names = [name for name, _ in resource_limits.bounds_of(_LIMITS, 0, isolated=True)]
    bounds = {name: resource.getrlimit(name) for name in (*names, resource.RLIMIT_CPU)}
    try:
        yield
    finally:
        sys.stdout, sys.stderr, builtins.input = streams
        sys.modules["__main__"] = main
        for name, bound in bounds.items():
            resource.setrlimit(name, bound)


def _go_through_session(folder: str, name: str) -> None:
    # A message keeps apart from the next one, so that all can be sent ahead.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line, other_end = socket.socketpair()
    with ours, theirs, line, other_end:
        first, then = ({"code": code, "seconds": 30} for code in (_PICTURES, "1 / 0"))
        variables = {"image": "input_image"}
        ours.sendall(encode({"limits": _LIMITS, "images": [name], "variables": variables, "call": first}))
        other_end.sendall(encode(then))
        ours.shutdown(socket.SHUT_WR)
        serve(theirs, line, folder, _hold_nothing, awaited=True)


def walk() -> None:
    """Goes through one session in this process."""
    with _left_as_it_was(), _in_memory(_encoded("JPEG")) as (folder, name):
        _go_through_session(folder, name)


def rehearse() -> None:
    """Goes through sessions in this process, which is as it was after it but for what got warm."""
    capture = Capture(_LIMITS)
    with _left_as_it_was():
        for _ in range(_TIMES):
            touch(capture)
        for kind in ("PNG", "JPEG"):
            with _in_memory(_encoded(kind)) as (folder, name):
                for _ in range(_TIMES):
                    _go_through_session(folder, name)
