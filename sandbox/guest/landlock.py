"""Landlock, where the kernel has it: a second wall around files, TCP, abstract sockets and signals."""

import ctypes
import os
import struct

import kernel

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# Rights over files that each version of the interface knows, as one mask.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TRUNCATE = 1 << 14
_NETWORK_FROM, _NETWORK = 4, 3
_SCOPES_FROM, _SCOPES = 6, 3


def version() -> int:
    """The version of the kernel's interface; 0 where it has none."""
    result = kernel.system_call(_CREATE, None, 0, _VERSION_FLAG)
    return max(result, 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    flags = os.O_PATH | os.O_CLOEXEC
    try:
        place = os.open(path, flags)
    except FileNotFoundError:
        return
    try:
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place))
        kernel.checked_call("landlock_add_rule", _ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def restrict(read: list[str], devices: list[str], write: str, abi: int) -> None:
    """Leaves this process, for good, reading below `read`, using `devices`, and writing below `write`.

    It may then neither reach TCP ports, nor abstract sockets or processes outside, as far as version `abi` knows them.
    """
    files = _FILE_RIGHTS[max(known for known in _FILE_RIGHTS if known <= abi)]
    network = _NETWORK if abi >= _NETWORK_FROM else 0
    scopes = _SCOPES if abi >= _SCOPES_FROM else 0
    attributes = struct.pack("=QQQ", files, network, scopes)[: 24 if scopes else 16 if network else 8]
    buffer = ctypes.create_string_buffer(attributes)
    ruleset = kernel.checked_call("landlock_create_ruleset", _CREATE, buffer, len(attributes), 0)
    try:
        for path in read:
            _allow(ruleset, path, _READ)
        for path in devices:
            _allow(ruleset, path, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & files)
        _allow(ruleset, write, files & ~_EXECUTE)
        kernel.checked_call("landlock_restrict_self", _RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)
