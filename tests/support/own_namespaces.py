"""Namespaces in which an ordinary user is root, as most systems allow: there a test cuts links and mounts disks."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sandbox" / "guest"))

import kernel


def become_root() -> None:
    """Gives this process namespaces of its own for users, mounts and the network."""
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    kernel.map_identity("self", 0, user, group)
    kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWNS)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
