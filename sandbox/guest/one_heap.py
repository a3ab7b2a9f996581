"""Where this process's objects lie: side by side, so that few huge pages hold them all."""

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_ALWAYS_HEAP = 1 << 30
_ARENA_ALIGNMENT = 16 * 1024
# What the C library itself comes to once such blocks have come and gone.
_LARGE_BLOCK = 32 * 1024 * 1024


class _ArenaAllocator(ctypes.Structure):
    _fields_ = (("context", ctypes.c_void_p), ("allocate", ctypes.c_void_p), ("free", ctypes.c_void_p))


_python = ctypes.pythonapi
# There are C libraries without it.
_malloc_trim = getattr(ctypes.PyDLL(None), "malloc_trim", None)
_first_allocator = _ArenaAllocator()


def gather() -> None:
    """From here on takes all memory from the one heap that grows in place; the C library and Python would map pieces.

    Where the C library knows no such settings nothing changes.
    """
    library = ctypes.CDLL(None)
    _python.PyObject_GetArenaAllocator(ctypes.byref(_first_allocator))
    with contextlib.suppress(AttributeError):
        library.mallopt(_MMAP_THRESHOLD, _ALWAYS_HEAP)
        library.mallopt(_TRIM_THRESHOLD, _ALWAYS_HEAP)
        # Called as `memalign(context, bytes)`, which aligns, and `labs(context, address, bytes)`, which does nothing.
        places = [ctypes.cast(function, ctypes.c_void_p) for function in (library.memalign, library.labs)]
        allocator = _ArenaAllocator(_ARENA_ALIGNMENT, *places)
        _python.PyObject_SetArenaAllocator(ctypes.byref(allocator))


def release() -> None:
    """From here on large blocks and Python's arenas are mapped again, so that they go back to the system once free."""
    library = ctypes.CDLL(None)
    if _first_allocator.allocate:
        # It unmaps what it frees, which a part of the heap that holds nothing else can be, too.
        _python.PyObject_SetArenaAllocator(ctypes.byref(_first_allocator))
    with contextlib.suppress(AttributeError):
        library.mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK)
        library.mallopt(_TRIM_THRESHOLD, _LARGE_BLOCK)
        library.malloc_trim(0)


def trim() -> None:
    """Gives free memory back to the system: after a fork, whoever writes there would first copy what nobody needs."""
    if _malloc_trim is not None:
        _malloc_trim(0)
