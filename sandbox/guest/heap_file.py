"""The heap as a private mapping of a file in memory, for a process that will fork often.

A fork copies an entry for each page of anonymous memory, and an end takes each apart. Pages of a file are looked up
when they are first used: of about 100 MiB that the libraries leave, a session uses a few.
"""

import contextlib
import ctypes
import fcntl
import mmap
import os
import struct
from pathlib import Path

_NAME = "heap"
# What /proc calls a mapping of it.
MAPPED_AS = f"/memfd:{_NAME} (deleted)"
_MOST_BYTES = 1 << 30
_PRIVATE_AT = 0x02 | 0x10
_READ_WRITE = 0x01 | 0x02
# Of a ucontext_t, the pointer to what follows and the stack, which lie at the same place on all machines with 64 bits.
_FOLLOWER, _STACK = 8, 16
_CONTEXT_BYTES, _STACK_BYTES = 16 * 1024, 64 * 1024


def _heap() -> tuple[int, int]:
    """Where the heap begins and ends; (0, 0) where it is none of anonymous memory in one piece."""
    start = end = 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        if not line.endswith("[heap]"):
            continue
        span, rights, *_ = line.split()
        first, last = (int(part, 16) for part in span.split("-"))
        if rights != "rw-p" or (end and first != end):
            return 0, 0
        start, end = start or first, last
    return start, end


def _in_turn(library: ctypes.CDLL, calls: list[tuple[str, list[int]]]) -> None:
    """Calls functions of the C library one after the other, and nothing of Python's in between."""
    place = mmap.mmap(-1, (len(calls) + 1) * (_CONTEXT_BYTES + _STACK_BYTES))
    base = ctypes.addressof(ctypes.c_char.from_buffer(place))
    contexts = [base + index * (_CONTEXT_BYTES + _STACK_BYTES) for index in range(len(calls) + 1)]
    for index, (name, values) in enumerate(calls, 1):
        context = contexts[index]
        library.getcontext(ctypes.c_void_p(context))
        follower = contexts[(index + 1) % len(contexts)]
        struct.pack_into("@Q", place, context - base + _FOLLOWER, follower)
        struct.pack_into("@QixxxxQ", place, context - base + _STACK, context + _CONTEXT_BYTES, 0, _STACK_BYTES)
        function = ctypes.cast(getattr(library, name), ctypes.c_void_p)
        library.makecontext(ctypes.c_void_p(context), function, len(values), *map(ctypes.c_ulong, values))
    library.swapcontext(ctypes.c_void_p(contexts[0]), ctypes.c_void_p(contexts[1]))


def move() -> bool:
    """Moves the heap into a file that nobody can open or write; False where this system has no way to do it."""
    library = ctypes.PyDLL(None)
    start, end = _heap()
    length = end - start
    if not 0 < length <= _MOST_BYTES or not hasattr(library, "makecontext"):
        return False
    with contextlib.suppress(OSError):
        handle = os.memfd_create(_NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.posix_fallocate(handle, 0, length)
            # What is written to the heap after it was copied would be lost, and all that Python does writes to it.
            write = ("pwrite", [handle, start, length, 0])
            _in_turn(library, [write, ("mmap", [start, length, _READ_WRITE, _PRIVATE_AT, handle, 0])])
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        finally:
            os.close(handle)
        return True
    return False
