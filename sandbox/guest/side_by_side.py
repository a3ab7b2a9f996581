"""What sessions write to, side by side: each page of it that a process just forked writes to is copied for it.

To run a function counts what refers to its code, which writes to where that lies; new objects take places that old ones
left, wherever these are.
"""

import ctypes
import gc
import sys
import sysconfig
from collections.abc import Callable, Iterable
from types import CodeType, FrameType, FunctionType

_RAW, _OBJECTS = 0, 2
# Python's allocator hands out blocks of up to 512 bytes, of each sixteenth size from pools of its own, which begin so.
_POOL_BYTES, _POOL_HEAD, _STEP, _LARGEST = 16 * 1024, 48, 16, 512
_BYTES_HEAD = sys.getsizeof(b"")
# What the C library puts before a block, and what its blocks are aligned to.
_BLOCK_HEAD, _BLOCK_STEP = 8, 16
# Blocks of one size that are taken at most: where memory is handed out in another way, none would be the last.
_MOST = 5_000

_library = ctypes.PyDLL(None)
_library.malloc.restype, _library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
_library.free.argtypes = [ctypes.c_void_p]


class _Allocator(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free"))


_kept: list[object] = []


def _is_usual() -> bool:
    """Whether small objects come from Python's pools, and what the C library gave out is freed as well as they are."""
    is_debug = hasattr(sys, "gettotalrefcount")
    has_pools = sysconfig.get_config_var("WITH_PYMALLOC") and not sysconfig.get_config_var("Py_GIL_DISABLED")
    return bool(has_pools) and not is_debug


def _run_by(go: Callable[[], None]) -> dict[int, CodeType]:
    """By id: code of two files can be equal."""
    found: dict[int, CodeType] = {}

    def see(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            found[id(frame.f_code)] = frame.f_code

    sys.setprofile(see)
    try:
        go()
    finally:
        sys.setprofile(None)
    return found


def _plug(sizes: Iterable[int]) -> list[int]:
    """Takes what the C library has of blocks that were given back, until it cuts blocks of these sizes off its end."""
    taken: list[int] = []
    for size in sorted(sizes):
        step = -(-(size + _BLOCK_HEAD) // _BLOCK_STEP) * _BLOCK_STEP
        last, in_a_row = 0, 0
        for _ in range(_MOST):
            place: int = _library.malloc(size)
            in_a_row = in_a_row + 1 if place - last == step else 0
            # Those at the end stay taken: together they would be room that is not where large pages are.
            if in_a_row == 2:
                break
            if last:
                taken.append(last)
            last = place
    return taken


def _copy(codes: dict[int, CodeType]) -> dict[int, CodeType]:
    """Copies, by the ids of the codes, that the C library gives the memory for, one after the other."""
    python = ctypes.pythonapi
    raw, usual = _Allocator(), _Allocator()
    python.PyMem_GetAllocator(_RAW, ctypes.byref(raw))
    python.PyMem_GetAllocator(_OBJECTS, ctypes.byref(usual))
    mixed = _Allocator(usual.context, raw.malloc, raw.calloc, usual.realloc, usual.free)
    python.PyMem_SetAllocator(_OBJECTS, ctypes.byref(mixed))
    try:
        return {number: code.replace() for number, code in codes.items()}
    finally:
        python.PyMem_SetAllocator(_OBJECTS, ctypes.byref(usual))


def gather_code(go: Callable[[], None]) -> None:
    """Has the code that `go` runs lie side by side, where this Python lets it."""
    if not _is_usual():
        return
    run = _run_by(go)
    functions = [one for one in gc.get_objects() if type(one) is FunctionType and id(one.__code__) in run]
    codes = {id(function.__code__): function.__code__ for function in functions}
    taken = _plug({sys.getsizeof(code) for code in codes.values()})
    copies = _copy(codes)
    for function in functions:
        function.__code__ = copies[id(function.__code__)]
    for place in taken:
        _library.free(place)


def _object_of(size: int) -> object:
    if size == _STEP:
        return object()
    return bytes(size - _BYTES_HEAD) if size >= _BYTES_HEAD else (1 << 40) + len(_kept)


def begin_pools() -> None:
    """Fills the pools that have room, so that new objects of a size lie side by side from here on."""
    if not _is_usual():
        return
    for size in range(_STEP, _LARGEST + 1, _STEP):
        last = 0
        for _ in range(_MOST):
            one = _object_of(size)
            _kept.append(one)
            if last % _POOL_BYTES == _POOL_HEAD and id(one) - last == size:
                break
            last = id(one)
