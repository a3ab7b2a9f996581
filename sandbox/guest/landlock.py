"""Landlock, where the kernel has it: a second wall around files, TCP, abstract sockets and signals."""

import ctypes
import os
import struct
from os import close
from os import open as open_file
from struct import pack_into

import kernel
from kernel import checked_call

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

# What is allowed, and the folder or file below which it is.
_RULE = "=Qi"
_PATH_ONLY = os.O_PATH | os.O_CLOEXEC

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# Rights over files that each version of the interface knows, as one mask.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TRUNCATE = 1 << 14
_NETWORK_FROM, _NETWORK = 4, 3
_SCOPES_FROM, _SCOPES = 6, 3


def version() -> int:
    """The version of the kernel's interface; 0 where it has none."""
    result = kernel.system_call(_CREATE, 0, 0, _VERSION_FLAG)
    return max(result, 0)


def _rule(handle: int, rights: int) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(struct.pack(_RULE, rights, handle))


def _open(path: str) -> int | None:
    try:
        return os.open(path, _PATH_ONLY)
    except FileNotFoundError:
        return None


class Landlock:
    """Rules of version `abi` of the interface: what the same for all processes is, found once.

    A process may then, for good, read below `read`, use `devices`, and write below the folder that `restrict` is given.
    It may neither reach TCP ports, nor abstract sockets or processes outside, as far as the version knows them.
    """

    def __init__(self, read: list[str], devices: list[str], abi: int) -> None:
        files = _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= abi)]
        network = _NETWORK if abi >= _NETWORK_FROM else 0
        scopes = _SCOPES if abi >= _SCOPES_FROM else 0
        attributes = struct.pack("=QQQ", files, network, scopes)[: 24 if scopes else 16 if network else 8]
        self._attributes = ctypes.create_string_buffer(attributes, len(attributes))
        self._write_rights = files & ~_EXECUTE
        device_rights = (_READ_FILE | _WRITE_FILE | _TRUNCATE) & files
        places = [(path, _READ) for path in read] + [(path, device_rights) for path in devices]
        opened = [(_open(path), rights) for path, rights in places]
        self._rules = [_rule(handle, rights) for handle, rights in opened if handle is not None]
        # The one for the folder that may be written to, once that is known.
        self._own = _rule(-1, self._write_rights)
        # Found ahead: what a process just forked looks up it copies pages for.
        self._addresses = [ctypes.addressof(rule) for rule in (*self._rules, self._own)]
        self._head = ctypes.addressof(self._attributes), len(self._attributes)

    def restrict(self, write: str) -> None:
        """Puts this process, and all that it will start, under the rules. Raises OSError."""
        folder = open_file(write, _PATH_ONLY)
        ruleset = checked_call("landlock_create_ruleset", _CREATE, *self._head)
        pack_into(_RULE, self._own, 0, self._write_rights, folder)
        for address in self._addresses:
            checked_call("landlock_add_rule", _ADD_RULE, ruleset, _RULE_PATH_BENEATH, address)
        checked_call("landlock_restrict_self", _RESTRICT, ruleset, 0)
        close(ruleset)
        close(folder)
