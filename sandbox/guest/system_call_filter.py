"""A seccomp filter: calls that no picture needs, and that reach what namespaces do not cover or that sessions share."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

import kernel

# Names of <asm/unistd.h> with their numbers on x86_64 and aarch64; None where the machine has no such call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "accept": (43, 202),
    "accept4": (288, 242),
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bind": (49, 200),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "connect": (42, 203),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    # The interpreter's line leads to a socket of the host's.
    "getpeername": (52, 205),
    "init_module": (175, 105),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "ioprio_set": (251, 30),
    "io_setup": (206, 0),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "listen": (50, 201),
    "lookup_dcookie": (212, 18),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setpriority": (141, 140),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "socket": (41, 198),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "uselib": (134, None),
    "vhangup": (153, 58),
}
# Of these, what a process that forks interpreters into namespaces has to do before each of them goes on alone.
_LAST = ("setns", "setpriority")
_MACHINES = ("x86_64", "aarch64")
_AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_IOCTL = {"x86_64": 16, "aarch64": 29}
# prlimit64, sched_setaffinity, sched_setattr, sched_setparam, sched_setscheduler: their first argument is a process, 0
# the caller.
_ON_ITSELF = {"x86_64": (302, 203, 314, 142, 144), "aarch64": (261, 122, 274, 118, 119)}
_X32 = 0x40000000

_NAMESPACES = 0x7E020080
# TIOCSTI and TIOCLINUX type into a terminal.
_TERMINAL = (0x5412, 0x541C)

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

_Line = tuple[int, int, int, int]


def _error(number: int) -> _Line:
    return (_RETURN, 0, 0, 0x00050000 | number)


def _check(number: int, argument: int, test: list[_Line]) -> list[_Line]:
    """Applies `test` to the low half of an argument where the call is `number`; the test ends in a return."""
    body = [(_LOAD, 0, 0, argument), *test]
    return [(_EQUAL, 0, len(body), number), *body]


def _numbers(names: Iterable[str], machine: str) -> list[int]:
    numbers = [_REFUSED[name][_MACHINES.index(machine)] for name in names]
    return sorted(number for number in numbers if number is not None)


def _beginning(machine: str) -> list[_Line]:
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT_ARCHITECTURE[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _error(errno.ENOSYS),
    ]


def _last_program(machine: str) -> list[_Line]:
    lines = _beginning(machine)
    for number in _numbers(_LAST, machine):
        lines += [(_EQUAL, 0, 1, number), _error(errno.EPERM)]
    return [*lines, (_RETURN, 0, 0, _ALLOW)]


def _program(machine: str) -> list[_Line]:
    allow, refuse = (_RETURN, 0, 0, _ALLOW), _error(errno.EPERM)
    lines: list[_Line] = [
        *_beginning(machine),
        # Its flags lie in memory, where no filter can look; the C library then takes clone.
        (_EQUAL, 0, 1, _CLONE3),
        _error(errno.ENOSYS),
    ]
    lines += _check(_CLONE[machine], _FIRST, [(_ANY_BIT, 0, 1, _NAMESPACES), refuse, allow])
    terminal = [(_EQUAL, len(_TERMINAL) - index, 0, request) for index, request in enumerate(_TERMINAL)]
    lines += _check(_IOCTL[machine], _SECOND, [*terminal, allow, refuse])
    for number in _ON_ITSELF[machine]:
        lines += _check(number, _FIRST, [(_EQUAL, 0, 1, 0), allow, refuse])
    for number in _numbers(_REFUSED.keys() - set(_LAST), machine):
        lines += [(_EQUAL, 0, 1, number), refuse]
    return [*lines, allow]


def _kernel_has_filters() -> bool:
    # Asked for a filter at no address, a kernel that has filters complains of the address.
    try:
        kernel.prctl(_PR_SET_SECCOMP, _MODE_FILTER, 0)
    except OSError as error:
        return error.errno == errno.EFAULT
    return True


class _Part:
    """A filter, assembled once."""

    def __init__(self, lines: list[_Line]) -> None:
        self._code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
        header = struct.pack("@HxxxxxxQ", len(lines), ctypes.addressof(self._code))
        self._header = ctypes.create_string_buffer(header)

    def installing(self) -> kernel.SystemCall:
        return kernel.prctl_call(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(self._header))


class SystemCallFilter:
    """The filter, in two parts, as the kernel takes long over a long one.

    The process that forks interpreters is under the first part, which they inherit; the last one is for each of them.
    """

    def __init__(self) -> None:
        machine = os.uname().machine
        self._available = machine in _AUDIT_ARCHITECTURE and _kernel_has_filters()
        self._parts = (_Part(_program(machine)), _Part(_last_program(machine))) if self._available else ()

    def available(self) -> bool:
        """Whether the kernel has seccomp filters, and the numbers of this machine's system calls are known."""
        return self._available

    def install_first(self) -> None:
        """Refuses this process, and all that it will fork, what one that forks interpreters can do without."""
        kernel.call_in_turn([part.installing() for part in self._parts[:1]])

    def installing_last(self) -> list[kernel.SystemCall]:
        """What refuses the rest, in a process that is under the first part."""
        return [part.installing() for part in self._parts[1:]]
