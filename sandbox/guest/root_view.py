"""What the guest sees of the host: what Python needs, read-only, and nothing else."""

import contextlib
import os
import sys
from pathlib import Path

import kernel

_FROZEN = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV
_PROC = kernel.MS_NOSUID | kernel.MS_NODEV
_WRITABLE = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
# From this kernel on pid_max belongs to the pid namespace; before it, to the host. Past the last pid the kernel goes on
# at 300, so that is where a session begins: it then has the same number of processes however many it has had.
_PID_MAX_OF_NAMESPACE = (6, 14)
_LAST_PID_BEFORE, _PID_MAX = "299", "601"
DEVICES = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/dev/full"]
# The fork server's own, in which it writes until all is imported; its environment names it, too.
OWN = "/guest"
# Where programs expect to write: in a session this leads into its folder.
_TEMPORARY = ("/tmp", "/dev/shm")


def _visible() -> list[str]:
    system = [path for path in ("/usr", "/lib", "/lib64", "/bin", "/sbin") if Path(path).exists()]
    python = {os.path.realpath(path) for path in (sys.prefix, sys.base_prefix)} | {sys.prefix, sys.base_prefix}
    own = {str(Path(__file__).resolve().parent)}
    return system + sorted(path for path in python | own if not path.startswith("/usr/"))


def _bind_read_only(root: str, path: str) -> None:
    source, target = Path(path), Path(root + path)
    if source.is_symlink():
        if not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    kernel.mount(path, str(target), None, kernel.MS_BIND | kernel.MS_REC)
    flags = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID
    kernel.mount("none", str(target), None, flags)


def _lead_into_session(root: str) -> None:
    """Names the session's own folder for temporary files as programs do; nothing is there but in a session.

    A folder that leads to Python, or to the guest, stays one, in which nobody writes.
    """
    for path in _TEMPORARY:
        target = Path(root + path)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to("/sandbox/tmp")


def enter(meeting_place: str, scratch: str) -> None:
    """Enters namespaces without a network, whose root holds only what Python needs.

    `meeting_place` is the folder of the supervisor's socket, seen as /sandbox/meeting; `scratch` an empty folder of the
    host on which the new root is built. /proc stays for writing identity maps; a session hides both.
    """
    user, group = os.getuid(), os.getgid()
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
    kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS)
    kernel.map_identity("self", 0, user, group)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", scratch, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    Path(scratch + OWN).mkdir()
    kernel.mount("tmpfs", scratch + OWN, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=16m,mode=700")
    for path in _visible():
        _bind_read_only(scratch, path)
    for device in DEVICES:
        # A device takes writes all the same; only its mode and owner, the host's, are safe so.
        _bind_read_only(scratch, device)
    _lead_into_session(scratch)
    for folder in ("/sandbox/meeting", "/proc"):
        Path(scratch + folder).mkdir(parents=True, exist_ok=True)
    kernel.mount(meeting_place, f"{scratch}/sandbox/meeting", None, kernel.MS_BIND)
    kernel.mount("/proc", f"{scratch}/proc", None, kernel.MS_BIND | kernel.MS_REC)
    kernel.pivot_root(scratch)
    kernel.mount("none", "/", None, kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID)


def freeze() -> None:
    """After the imports, which may write a cache: nobody writes to the shared folders any more."""
    kernel.mount("none", OWN, None, _FROZEN)


def _limit_session() -> None:
    """Limits what the session's own namespaces can hold, where the kernel lets this user say so."""
    limits = {"/proc/sys/user/max_user_namespaces": "0"}
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    if release >= _PID_MAX_OF_NAMESPACE:
        limits["/proc/sys/kernel/pid_max"] = _PID_MAX
        limits["/proc/sys/kernel/ns_last_pid"] = _LAST_PID_BEFORE
    for path, value in limits.items():
        with contextlib.suppress(OSError):
            Path(path).write_text(value)


def hide_in_session(mebibytes: int) -> None:
    """In a session's own mount namespace: one private folder to write in, its own /proc, and no meeting place."""
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    _mount_folder(mebibytes)
    kernel.mount("proc", "/proc", "proc", _PROC)
    _limit_session()
    # Read-only: to the kernel this user may be the host's root, who could write settings of the host here.
    kernel.mount("none", "/proc", None, kernel.MS_REMOUNT | kernel.MS_RDONLY | _PROC)


def _mount_folder(mebibytes: int) -> None:
    kernel.mount("tmpfs", "/sandbox", "tmpfs", _WRITABLE, f"size={mebibytes}m,mode=700,nr_inodes=40000")
    os.mkdir("/sandbox/tmp")


def renew_folder(mebibytes: int) -> None:
    """Puts a new folder in the place of the private one. Raises OSError where anything still uses that."""
    with kernel.may_mount():
        kernel.unmount("/sandbox")
        _mount_folder(mebibytes)
