"""What the guest sees of the host: what Python needs, read-only, and nothing else."""

import os
import sys

import kernel

_FROZEN = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
_DEVICES = ("null", "zero", "urandom", "random", "full")


def _visible() -> list[str]:
    system = [path for path in ("/usr", "/lib", "/lib64", "/bin", "/sbin") if os.path.exists(path)]
    python = {os.path.realpath(path) for path in (sys.prefix, sys.base_prefix)} | {sys.prefix, sys.base_prefix}
    own = {os.path.dirname(os.path.abspath(__file__))}
    return system + sorted(path for path in python | own if not path.startswith("/usr/"))


def _bind(root: str, path: str, flags: int) -> None:
    target = root + path
    if os.path.islink(path):
        if not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()
    kernel.mount(path, target, None, kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("none", target, None, kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_NOSUID | flags)


def enter(meeting_place: str, scratch: str) -> None:
    """Enters a user and a mount namespace whose root holds only what Python needs.

    `meeting_place` is the folder of the supervisor's socket, seen as /sandbox/meeting; `scratch` an empty folder of the
    host on which the new root is built. /proc stays for writing identity maps; a session hides both.
    """
    user, group = os.getuid(), os.getgid()
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
    kernel.map_identity("self", 0, user, group)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", scratch, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    os.makedirs(f"{scratch}/tmp")
    kernel.mount("tmpfs", f"{scratch}/tmp", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=16m,mode=700")
    for path in _visible():
        _bind(scratch, path, kernel.MS_RDONLY)
    for device in _DEVICES:
        _bind(scratch, f"/dev/{device}", 0)
    for folder in ("/sandbox/meeting", "/proc"):
        os.makedirs(scratch + folder, exist_ok=True)
    kernel.mount(meeting_place, f"{scratch}/sandbox/meeting", None, kernel.MS_BIND)
    kernel.mount("/proc", f"{scratch}/proc", None, kernel.MS_BIND | kernel.MS_REC)
    kernel.pivot_root(scratch)
    kernel.mount("none", "/", None, kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID)


def freeze() -> None:
    """After the imports, which may write a cache: nobody writes to the shared folders any more."""
    kernel.mount("none", "/tmp", None, _FROZEN)


def hide_in_session(mebibytes: int) -> None:
    """In a session's own mount namespace: one private folder to write in, its own /proc, and no meeting place."""
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", "/sandbox", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, f"size={mebibytes}m,mode=700")
    # Read-only: to the kernel this user may be the host's root, who could write settings of the host here.
    kernel.mount("proc", "/proc", "proc", kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV)
    os.mkdir("/sandbox/tmp")
