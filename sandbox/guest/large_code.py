"""Python's own code in large pages: every process runs it, and maps what it runs page by page."""

import contextlib
import ctypes

import kernel
from mappings import mapping_of

_HUGE = kernel.HUGE_PAGE_BYTES
_READ_WRITE, _READ_EXECUTE = 0x01 | 0x02, 0x01 | 0x04
_PRIVATE_ANONYMOUS = 0x02 | 0x20
_MAY_MOVE_TO = 0x01 | 0x02
_FAILED = ctypes.c_void_p(-1).value

_library = ctypes.PyDLL(None, use_errno=True)
_mmap, _mremap, _munmap = _library.mmap, _library.mremap, _library.munmap
_mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_mremap.argtypes = [ctypes.c_void_p, *[ctypes.c_size_t] * 2, ctypes.c_int, ctypes.c_void_p]
_mmap.restype = _mremap.restype = ctypes.c_void_p
_munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def _is_large(address: int, size: int) -> bool:
    mapping = mapping_of(address, counted=True)
    return mapping is not None and mapping.in_large_pages >= size


def _replace(start: int, size: int) -> None:
    length = size + _HUGE
    place = _mmap(None, length, _READ_WRITE, _PRIVATE_ANONYMOUS, -1, 0)
    if place == _FAILED:
        return
    copy = -(-place // _HUGE) * _HUGE
    with contextlib.suppress(OSError):
        kernel.advise(copy, size, kernel.MADV_HUGEPAGE)
        ctypes.memmove(copy, start, size)
        kernel.protect(copy, size, _READ_EXECUTE)
        # At one stroke: this very code lies in what is replaced.
        if _is_large(copy, size) and _mremap(copy, size, size, _MAY_MOVE_TO, start) == start:
            _munmap(copy + size, place + length - copy - size)
            length = copy - place
    if length > 0:
        _munmap(place, length)


def move() -> None:
    """Puts a copy in the place of the interpreter's code, as far as that fills large pages.

    Where the system has none to give, all stays as it is.
    """
    code = ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value or 0
    mapping = mapping_of(code)
    if mapping is None or mapping.rights != "r-xp":
        return
    first, last = mapping.huge_pages()
    if first < last:
        _replace(first, last - first)
