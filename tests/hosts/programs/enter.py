"""Runs a command on a host of the test: `enter.py PID COMMAND...`, where PID is the host's first process."""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sandbox" / "guest"))

import kernel

# The user namespace comes first: it gives the right to enter the others.
_KINDS = ("user", "net", "uts", "ipc", "pid", "mnt")


def main() -> int:
    pid, *command = sys.argv[1:]
    folder = Path.cwd()
    handles = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in _KINDS]
    for handle in handles:
        kernel.enter_namespace(handle)
        os.close(handle)
    os.chdir(folder)
    child = os.fork()
    if child == 0:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.execvp(command[0], command)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: os.kill(child, number))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) % 256


sys.exit(main())
