"""Runs a command and writes what it took: wall seconds, CPU seconds and peak memory of its whole process tree.

CPU seconds come from a control group of its own where one can be made, else from the kernel's sums over the processes
that were waited for. Memory is the sum of proportional set sizes: a page that processes share counts once, with a part
of it for each.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path


def make_group() -> tuple[Path | None, str]:
    """A control group that counts CPU time, and the name of its counter."""
    for root, counter in ((Path("/sys/fs/cgroup/cpuacct"), "cpuacct.usage"), (Path("/sys/fs/cgroup"), "cpu.stat")):
        group = root / f"lensmith-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / counter).exists():
            return group, counter
        group.rmdir()
    return None, ""


def cpu_seconds(group: Path, counter: str) -> float:
    text = (group / counter).read_text()
    if counter == "cpuacct.usage":
        return int(text) / 1e9
    return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6


def tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def memory_mib(root: int) -> float:
    total = 0
    for pid in tree(root):
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--memory-every", type=float, default=0.5, help="seconds between looks at the memory")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    group, counter = make_group()

    def join_group() -> None:
        if group is not None:
            (group / "cgroup.procs").write_text("0")

    started = time.monotonic()
    child = subprocess.Popen(args.command, start_new_session=True, preexec_fn=join_group)
    peak: float | None = None
    timed_out, look = False, started + args.memory_every
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() >= look:
            peak = max(peak or 0.0, memory_mib(child.pid))
            look = time.monotonic() + args.memory_every
        if time.monotonic() - started > args.seconds and not timed_out:
            timed_out = True
            os.killpg(child.pid, signal.SIGKILL)
        time.sleep(0.05)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    cpu = cpu_seconds(group, counter) if group else usage.ru_utime + usage.ru_stime
    if group is not None:
        with contextlib.suppress(OSError):
            group.rmdir()
    figures = {"code": child.returncode, "timedOut": timed_out, "wall": wall, "cpu": cpu, "peakMib": peak}
    Path(args.out).write_text(json.dumps(figures))


main()
