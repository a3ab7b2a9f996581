"""What the libraries wrote to memory as private mappings of one file, for a process that will fork often.

A fork copies an entry for each page of anonymous memory, and an end takes each apart. Pages of a file are looked up
when they are first used: of about 120 MiB that the libraries leave, a session uses a few.
"""

import contextlib
import ctypes
import mmap
import os
import struct
from pathlib import Path

import kernel

_MOST_BYTES = 1 << 30
_SPARSE_BYTES = 1 << 20
_PRIVATE_AT = 0x02 | 0x10
_READ_WRITE = 0x01 | 0x02
# Of a ucontext_t, the pointer to what follows and the stack, which lie at the same place on all machines with 64 bits.
_FOLLOWER, _STACK = 8, 16
_CONTEXT_BYTES, _STACK_BYTES = 8 * 1024, 8 * 1024


_library = ctypes.PyDLL(None)


def _written() -> list[tuple[int, int]]:
    """Where memory begins and ends that this process wrote to and will hardly write to again, neighbours as one."""
    found: list[tuple[int, int]] = []
    span = (0, 0)
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split(None, 5)
        if first == "Rss:" and span[1]:
            resident = int(rest[0]) * 1024
            # Buffers for many processors stay without memory, but for their first pages.
            if resident * 2 < span[1] - span[0] > _SPARSE_BYTES:
                continue
            if found and found[-1][1] == span[0]:
                span = found.pop()[0], span[1]
            found.append(span)
        elif "-" in first:
            start, end = (int(part, 16) for part in first.split("-"))
            named = rest[4] if len(rest) > 4 else ""
            # Of the stack, it uses the part below this frame.
            span = (start, end) if rest[0] == "rw-p" and named != "[stack]" else (0, 0)
    return found


def _in_turn(calls: list[tuple[str, list[int]]]) -> None:
    """Calls functions of the C library one after the other, and nothing of Python's in between."""
    place = mmap.mmap(-1, (len(calls) + 1) * (_CONTEXT_BYTES + _STACK_BYTES))
    base = ctypes.addressof(ctypes.c_char.from_buffer(place))
    contexts = [base + index * (_CONTEXT_BYTES + _STACK_BYTES) for index in range(len(calls) + 1)]
    for index, (name, values) in enumerate(calls, 1):
        context = contexts[index]
        _library.getcontext(ctypes.c_void_p(context))
        follower = contexts[(index + 1) % len(contexts)]
        struct.pack_into("@Q", place, context - base + _FOLLOWER, follower)
        struct.pack_into("@QixxxxQ", place, context - base + _STACK, context + _CONTEXT_BYTES, 0, _STACK_BYTES)
        function = ctypes.cast(getattr(_library, name), ctypes.c_void_p)
        _library.makecontext(ctypes.c_void_p(context), function, len(values), *map(ctypes.c_ulong, values))
    _library.swapcontext(ctypes.c_void_p(contexts[0]), ctypes.c_void_p(contexts[1]))


def _move_into(handle: int, spans: list[tuple[int, int]]) -> None:
    total = sum(end - start for start, end in spans)
    os.posix_fallocate(handle, 0, total)
    writes, maps, place = [], [], 0
    for start, end in spans:
        writes.append(("pwrite", [handle, start, end - start, place]))
        maps.append(("mmap", [start, end - start, _READ_WRITE, _PRIVATE_AT, handle, place]))
        place += end - start
    # What is written after it was copied would be lost, and all that Python does writes somewhere.
    _in_turn([*writes, *maps])


def move(folder: str) -> bool:
    """Moves what was written into a file that nobody can open; False where this system has no way to do it.

    In `folder`, which is empty, this process may mount: the file lies in a ramfs, as the kernel then counts its pages
    neither as memory of a process nor as shared memory.
    """
    spans = _written()
    if not hasattr(_library, "makecontext") or not 0 < sum(end - start for start, end in spans) <= _MOST_BYTES:
        return False
    with contextlib.suppress(OSError):
        kernel.mount("ramfs", folder, "ramfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=700")
        try:
            handle = os.open(f"{folder}/written", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.unlink(f"{folder}/written")
                _move_into(handle, spans)
            finally:
                os.close(handle)
        finally:
            kernel.let_go(folder)
        return True
    return False
