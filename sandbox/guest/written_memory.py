"""What the libraries left in memory as few private mappings of one file, for a process that will fork often.

A fork copies an entry for each mapping and each page of anonymous memory, and an end takes each apart. Pages of a file
are looked up when they are first used: of about 150 MiB that the libraries leave, a session uses a few.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import kernel
from mappings import Mapping, mappings

_MOST_BYTES = 1 << 30
_SPARSE_BYTES = 1 << 20
# Code of a library that is moved although nobody wrote to it, so that its neighbours become one.
_SMALL_BYTES = 1 << 20
# What holds nothing between two of them and becomes a part of the file, which takes no memory for it.
_HOLE_BYTES = 4 << 20
_PRIVATE_AT, _PRIVATE_ANONYMOUS_NEW = 0x02 | 0x10, 0x02 | 0x20 | 0x100000
_NO_RIGHTS, _READ_WRITE, _EXECUTE = 0, 0x01 | 0x02, 0x04
# Of a ucontext_t, the pointer to what follows and the stack, which lie at the same place on all machines with 64 bits.
_FOLLOWER, _STACK = 8, 16
_CONTEXT_BYTES, _STACK_BYTES = 8 * 1024, 8 * 1024


_library = ctypes.PyDLL(None)


def _moves(one: Mapping) -> bool:
    """Whether this process wrote to it and will hardly do so again, or it is small and stands between such."""
    if one.rights == "rw-p" and one.file != "[stack]":
        # Buffers for many processors stay without memory, but for their first pages.
        return one.size <= _SPARSE_BYTES or one.resident * 2 >= one.size
    return one.is_of_library() and one.rights in ("r-xp", "r--p") and one.size <= _SMALL_BYTES


@dataclass
class _Span:
    """Neighbours in memory that become one mapping."""

    # Where memory begins and ends that holds something; between them nothing does.
    pieces: list[tuple[int, int]]
    rights: int
    # The system adds to it at its end.
    is_heap: bool

    @property
    def start(self) -> int:
        return self.pieces[0][0]

    @property
    def size(self) -> int:
        return self.pieces[-1][1] - self.start


def _take_gaps() -> None:
    """Maps what is free between libraries, so that nothing else comes to lie there."""
    for before, after in pairwise(mappings()):
        free = after.start - before.end
        if before.is_of_library() and after.is_of_library() and 0 < free <= _HOLE_BYTES:
            values = [before.end, free, _NO_RIGHTS, _PRIVATE_ANONYMOUS_NEW, -1, 0]
            _library.mmap(*map(ctypes.c_long, values))


def _neighbours() -> Iterator[tuple[Mapping, bool]]:
    """Mappings that move, each with whether it goes on where the last one ended, but for a hole."""
    end = 0
    for one in mappings(counted=True):
        if one.rights == "---p" and one.start == end and one.size <= _HOLE_BYTES:
            end = one.end
        elif _moves(one):
            yield one, one.start == end
            end = one.end


def _spans() -> list[_Span]:
    spans: list[_Span] = []
    for one, goes_on in _neighbours():
        piece = one.start, one.end
        rights = _READ_WRITE | (_EXECUTE if one.rights == "r-xp" else 0)
        is_heap = one.file == "[heap]"
        if goes_on and spans and spans[-1].is_heap == is_heap:
            spans[-1].pieces.append(piece)
            spans[-1].rights |= rights
        else:
            spans.append(_Span([piece], rights, is_heap))
    return spans


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


def _make_room(handle: int, start: int, size: int, offset: int) -> None:
    """Writes memory to the file a first time, so that it has the pages: later, nothing could be done about the lack."""
    if os.pwrite(handle, (ctypes.c_char * size).from_address(start), offset) != size:
        raise OSError(errno.ENOMEM, "no memory for what the libraries wrote")


def _move_into(handle: int, spans: list[_Span]) -> None:
    writes, maps, place = [], [], 0
    for span in spans:
        for start, end in span.pieces:
            offset = place + start - span.start
            _make_room(handle, start, end - start, offset)
            writes.append(("pwrite", [handle, start, end - start, offset]))
        maps.append(("mmap", [span.start, span.size, span.rights, _PRIVATE_AT, handle, place]))
        place += span.size
    # What is written after it was copied would be lost, and all that Python does writes somewhere.
    _in_turn([*writes, *maps])


def move(folder: str) -> bool:
    """Moves what was written into a file that nobody can open; False where this system has no way to do it.

    In `folder`, which is empty, this process may mount: the file lies in a ramfs, as the kernel then counts its pages
    neither as memory of a process nor as shared memory.
    """
    _take_gaps()
    spans = _spans()
    if not hasattr(_library, "makecontext") or not 0 < sum(span.size for span in spans) <= _MOST_BYTES:
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
