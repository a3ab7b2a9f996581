"""The system calls of isolation that Python has no name for."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

HUGE_PAGE_BYTES = 2 * 1024 * 1024
MADV_HUGEPAGE = 14
MADV_COLLAPSE = 25

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_CAP_SYS_ADMIN = 1 << 21

_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_SYS_PRCTL = {"x86_64": 157, "aarch64": 167}
_MACHINE = os.uname().machine

_libc = ctypes.CDLL(None, use_errno=True)
_python = ctypes.pythonapi
# They take numbers as they are: each object that a process just forked makes copies pages, which takes longer than the
# call itself.
_system_call = ctypes.CDLL(None, use_errno=True).syscall
_system_call.argtypes = [ctypes.c_long] * 6
_system_call.restype = ctypes.c_long
_prctl = ctypes.CDLL(None, use_errno=True).prctl
_prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
_setns = ctypes.CDLL(None, use_errno=True).setns
_setns.argtypes = [ctypes.c_int] * 2


def _check(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _number(table: dict[str, int], name: str) -> int:
    number = table.get(_MACHINE)
    if number is None:
        raise OSError(f"{name}: the number of this system call is not known on {_MACHINE}")
    return number


def clone_process(namespaces: int) -> int:
    """Forks into new namespaces: 0 in the child, the child's pid in the parent."""
    number = _number(_SYS_CLONE, "clone")
    _python.PyOS_BeforeFork()
    pid = _libc.syscall(ctypes.c_long(number), ctypes.c_ulong(namespaces | signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        _python.PyOS_AfterFork_Child()
        return 0
    code = ctypes.get_errno()
    _python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(code, f"clone: {os.strerror(code)}")
    return pid


def unshare(namespaces: int) -> None:
    """Moves this process into new namespaces."""
    _check(_libc.unshare(ctypes.c_int(namespaces)), "unshare")


def enter_namespace(handle: int) -> None:
    """Moves this process into the namespace of an open /proc/PID/ns file; a pid namespace holds for children only."""
    result = _setns(handle, 0)
    # To call one function more touches memory that a process just forked has to copy.
    if result < 0:
        _check(result, "setns")


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2)."""
    encoded = [None if value is None else value.encode() for value in (source, target, kind, options)]
    result = _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])
    _check(result, f"mount {source} on {target}")


def pivot_root(root: str) -> None:
    """Makes `root`, a mount point, the root and lets go of the old one."""
    os.chdir(root)
    _check(_libc.syscall(ctypes.c_long(_number(_SYS_PIVOT_ROOT, "pivot_root")), b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount of the old root")
    os.chdir("/")


def unmount(target: str) -> None:
    """umount(2): fails with EBUSY as long as any process has a file or its working folder there."""
    _check(_libc.umount2(target.encode(), 0), f"umount {target}")


def let_go(target: str) -> None:
    """umount(2) of what may still be in use: it is gone for all others, and at its last use."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def prctl(option: int, value: int, second: int = 0) -> None:
    """prctl(2) with one or two arguments."""
    if _prctl(option, value, second, 0, 0) < 0:
        _check(-1, f"prctl {option}")


def system_call(number: int, first: int, second: int, third: int = 0, fourth: int = 0) -> int:
    """syscall(2), with addresses as numbers; a negative result leaves its reason in errno."""
    result: int = _system_call(number, first, second, third, fourth, 0)
    return result


def checked_call(name: str, number: int, first: int, second: int, third: int = 0, fourth: int = 0) -> int:
    """syscall(2), with addresses as numbers; raises OSError with the name where it fails."""
    return _check(system_call(number, first, second, third, fourth), name)


SystemCall = tuple[int, int, int, int, int, int]


def call_in_turn(calls: list[SystemCall]) -> None:
    """Makes system calls, each by its number and five arguments. Raises OSError at the first that fails."""
    for call in calls:
        if _system_call(*call) < 0:
            _check(-1, f"system call {call[0]}")


def prctl_call(option: int, value: int, second: int = 0) -> SystemCall:
    """What `prctl` does, for later. Raises OSError where its number is not known."""
    return (_number(_SYS_PRCTL, "prctl"), option, value, second, 0, 0)


def advise(address: int, length: int, advice: int) -> None:
    """madvise(2)."""
    _check(_libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(length), ctypes.c_int(advice)), "madvise")


def protect(address: int, length: int, rights: int) -> None:
    """mprotect(2)."""
    _check(_libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(length), ctypes.c_int(rights)), "mprotect")


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _capabilities(effective: int, permitted: int) -> ctypes.Array[_CapabilityData]:
    data = (_CapabilityData * 2)()
    data[0] = _CapabilityData(effective, permitted, 0)
    return data


_HEADER = _CapabilityHeader(0x20080522, 0)
_NONE, _LAID_DOWN, _IN_EFFECT = (
    _capabilities(0, 0),
    _capabilities(0, _CAP_SYS_ADMIN),
    _capabilities(_CAP_SYS_ADMIN, _CAP_SYS_ADMIN),
)
_TO_HEADER = ctypes.addressof(_HEADER)
_TO_NONE, _TO_LAID_DOWN, _TO_IN_EFFECT = (ctypes.addressof(data) for data in (_NONE, _LAID_DOWN, _IN_EFFECT))


def _set_capabilities(address: int) -> None:
    checked_call("capset", _number(_SYS_CAPSET, "capset"), _TO_HEADER, address)


def dropping_capabilities() -> list[SystemCall]:
    """What `drop_capabilities` does, for later. Raises OSError where a number is not known."""
    return [
        (_number(_SYS_CAPSET, "capset"), _TO_HEADER, _TO_NONE, 0, 0, 0),
        prctl_call(PR_SET_NO_NEW_PRIVS, 1),
    ]


def drop_capabilities() -> None:
    """Gives up every capability of this process, for good."""
    call_in_turn(dropping_capabilities())


def lay_down_mounting() -> None:
    """Gives up every capability for good, but that to mount, which `may_mount` takes up again."""
    _set_capabilities(_TO_LAID_DOWN)
    prctl(PR_SET_NO_NEW_PRIVS, 1)


@contextlib.contextmanager
def may_mount() -> Iterator[None]:
    """Has the capability to mount in effect."""
    _set_capabilities(_TO_IN_EFFECT)
    try:
        yield
    finally:
        _set_capabilities(_TO_LAID_DOWN)


def map_identity(pid: int | str, inside: int, user: int, group: int) -> None:
    """Maps the id `inside` of a process's user namespace to a user and a group outside."""
    for name, content in (("setgroups", "deny"), ("uid_map", f"{inside} {user} 1"), ("gid_map", f"{inside} {group} 1")):
        Path(f"/proc/{pid}/{name}").write_text(content)
