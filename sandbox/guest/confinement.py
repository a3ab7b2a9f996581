"""What holds for the interpreter of a session's code, beyond the session's namespaces."""

import resource
import signal

import kernel
import landlock
import resource_limits
import root_view
from kernel import call_in_turn
from system_call_filter import SystemCallFilter

_SESSION_NAMESPACES = kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNS
# Sessions can do without their own where the filter refuses every call that reaches into them: they are slow to make.
_SHARED_NAMESPACES = kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
# The kernel has so many for each user of the host, and what a session queues counts there.
_QUEUED_SIGNALS = 1024


class Confinement:
    """The walls that this kernel gives, found once."""

    def __init__(self) -> None:
        self._filter = SystemCallFilter()
        self.landlock = landlock.version()
        self._rules: landlock.Landlock | None = None
        self._calls: list[kernel.SystemCall] = []
        self.seccomp = self._filter.available()
        # What a session leaves in namespaces other than these is out of its reach only where the filter refuses it.
        self.lasting = self.seccomp
        self.namespaces = _SESSION_NAMESPACES | (0 if self.seccomp else _SHARED_NAMESPACES)
        # In the order in which a process of the fork server may enter them.
        self.namespace_files = ["pid", "user", "mnt", *([] if self.seccomp else ["net", "ipc", "uts"])]

    def first_process(self) -> None:
        """For the process that a session begins with."""
        # The kernel keeps from it the signals of its session that it has no handler for, and Python has this one.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if self.lasting:
            kernel.lay_down_mounting()
        else:
            kernel.drop_capabilities()
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)

    def prepare(self) -> None:
        """For the process that will fork interpreters: does, and finds, what holds for all of them."""
        resource_limits.hold([(resource.RLIMIT_SIGPENDING, _QUEUED_SIGNALS)])
        self._filter.install_first()
        self._calls = [
            *kernel.dropping_capabilities(),
            # The session's first process reads how much memory it holds.
            kernel.prctl_call(kernel.PR_SET_DUMPABLE, 1),
            *self._filter.installing_last(),
        ]
        if self.landlock:
            self._rules = landlock.Landlock(["/"], root_view.DEVICES, self.landlock)

    def interpreter(self) -> None:
        """For a process that has entered the namespaces of a session, forked after `prepare`."""
        call_in_turn(self._calls)
        if self._rules:
            self._rules.restrict("/sandbox")
