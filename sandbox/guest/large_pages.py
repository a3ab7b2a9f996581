"""Room for pictures in large pages: to get 2 MiB at one stroke takes a third of what 512 small pages take."""

import ctypes

import kernel

_ADVISE_HUGE = kernel.MADV_HUGEPAGE
_SIZE = kernel.HUGE_PAGE_BYTES
# A large page that would stay this empty, or emptier, is none.
_LEAST_USED = _SIZE // 2
_HEADER = 64

_libc = ctypes.PyDLL(None)
_malloc, _free, _madvise, _sbrk = _libc.malloc, _libc.free, _libc.madvise, _libc.sbrk
_malloc.restype, _malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
_sbrk.restype, _sbrk.argtypes = ctypes.c_void_p, [ctypes.c_long]
_free.restype, _free.argtypes = None, [ctypes.c_void_p]
_madvise.restype, _madvise.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def make_room(count: int) -> None:
    """Has the next `count` bytes that are asked of the C library lie in large pages, where the system has them.

    What lies before them in the heap is filled with addresses that stay without memory.
    """
    size = (count + _SIZE - _LEAST_USED) // _SIZE * _SIZE
    if size == 0:
        return
    # What the heap has of old was made small pages before, or stands in another mapping than what comes now.
    old_end: int = _sbrk(0)
    start: int | None = _malloc(size + 2 * _SIZE)
    if start is None:
        return
    _free(start)
    place = -(-max(start, old_end) // _SIZE) * _SIZE
    if place - start > 2 * _SIZE:
        return
    # Before any of it is written: a large page takes no place where a small one is.
    _madvise(place, size, _ADVISE_HUGE)
    if place - start > _HEADER:
        _malloc(place - start - _HEADER)
