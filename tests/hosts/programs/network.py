"""Hosts of a test: each has its own network, processes and temporary folder, and all hang on one bridge.

Reads orders as lines of JSON from standard input and answers each with one line: `start`, `kill`, `link`, `slow`. With
the end of its input all hosts end. Needs no privilege beyond a user namespace.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sandbox" / "guest"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

import kernel
from own_namespaces import become_root
from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

_CHECKOUT = Path(__file__).resolve().parents[3]
_BRIDGE = "lensmith"
_HOST = kernel.CLONE_NEWNET | kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC


def become_network() -> None:
    """Makes this process the owner of a user namespace and of the network that joins the hosts."""
    become_root()
    with IPRoute() as routes:
        routes.link("set", index=1, state="up")
        routes.link("add", ifname=_BRIDGE, kind="bridge")
        routes.link("set", index=index_of(routes, _BRIDGE), state="up")


def index_of(routes: IPRoute, name: str) -> int:
    return routes.link_lookup(ifname=name)[0]


def hide_temporary(temporary: str) -> None:
    """Gives the host a `/tmp` of its own; a checkout that lies below the machine's is seen there too."""
    if _CHECKOUT.is_relative_to("/tmp"):
        seen = Path(temporary, _CHECKOUT.relative_to("/tmp"))
        seen.mkdir(parents=True, exist_ok=True)
        kernel.mount(str(_CHECKOUT), str(seen), None, kernel.MS_BIND | kernel.MS_REC)
    kernel.mount(temporary, "/tmp", None, kernel.MS_BIND | kernel.MS_REC)


def run_init(name: str, address: str, temporary: str, joined: int, ready: int) -> None:
    """Is the first process of a host: brings its network up, then only reaps what others leave."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.read(joined, 1)
    kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    hide_temporary(temporary)
    socket.sethostname(name)
    with IPRoute() as routes:
        routes.link("set", index=1, state="up")
        inner = index_of(routes, "eth0")
        routes.addr("add", index=inner, address=address, prefixlen=24)
        routes.link("set", index=inner, state="up")
    os.write(ready, b"1")
    os.close(ready)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(0.2)


class Hosts:
    """The hosts that live, by name: the process that holds each together."""

    def __init__(self) -> None:
        self.pids: dict[str, int] = {}

    def start(self, host: str, address: str, temporary: str) -> dict[str, object]:
        wait, go = os.pipe()
        done, ready = os.pipe()
        pid = kernel.clone_process(_HOST)
        if pid == 0:
            os.close(go)
            os.close(done)
            run_init(host, address, temporary, wait, ready)
        os.close(wait)
        os.close(ready)
        with IPRoute() as routes:
            routes.link("add", ifname=f"to-{host}", kind="veth", peer={"ifname": "eth0", "net_ns_pid": pid})
            outer = index_of(routes, f"to-{host}")
            routes.link("set", index=outer, master=index_of(routes, _BRIDGE), state="up")
        os.write(go, b"1")
        os.close(go)
        if os.read(done, 1) != b"1":
            raise OSError(f"the host {host} did not come up")
        os.close(done)
        self.pids[host] = pid
        return {"pid": pid}

    def kill(self, host: str) -> dict[str, object]:
        """Ends every process of a host at once; its link goes with its network."""
        pid = self.pids.pop(host)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with IPRoute() as routes:
            for left in routes.link_lookup(ifname=f"to-{host}"):
                routes.link("del", index=left)
        return {}

    def link(self, host: str, state: str) -> dict[str, object]:
        with IPRoute() as routes:
            routes.link("set", index=index_of(routes, f"to-{host}"), state=state)
        return {}

    def slow(self, host: str, delay_ms: int, kbit: int) -> dict[str, object]:
        """Delays what goes to a host where the kernel can, else only lets little through."""
        with IPRoute() as routes:
            outer = index_of(routes, f"to-{host}")
            try:
                routes.tc("replace", "netem", outer, 0, delay=1000 * delay_ms)
                return {"by": "delay"}
            except NetlinkError:
                rate = 1000 * kbit // 8
                routes.tc("replace", "tbf", outer, 0, rate=rate, burst=16_384, latency="400ms")
                return {"by": "rate"}


def say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    become_network()
    hosts = Hosts()
    say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        do = order.pop("do")
        try:
            answer = getattr(hosts, do)(**order)
        except (OSError, NetlinkError, KeyError, IndexError) as problem:
            answer = {"error": f"{do} {order}: {problem!r}"}
        say(answer)
    for name in list(hosts.pids):
        hosts.kill(name)


main()
