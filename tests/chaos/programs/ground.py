"""Runs a command as root of namespaces of its own, in which it may fill disks and cut links: `ground.py COMMAND...`.

A packet that a rule of routing sends to the table 100 leaves by a device behind which nobody is. The rule for local
addresses, which usually comes before all others, comes after such rules here.
"""

import os
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from own_namespaces import become_root
from pyroute2 import IPRoute

NOWHERE = 100
_LOCAL = 255


def make_network() -> None:
    with IPRoute() as routes:
        routes.link("add", ifname="sink", kind="veth", peer="drain")
        for name in ("lo", "sink", "drain"):
            routes.link("set", index=routes.link_lookup(ifname=name)[0], state="up")
        sink = routes.link_lookup(ifname="sink")[0]
        routes.route("add", family=socket.AF_INET, dst="0.0.0.0/0", oif=sink, table=NOWHERE)
        routes.rule("add", family=socket.AF_INET, priority=100, table=_LOCAL)
        routes.rule("del", family=socket.AF_INET, priority=0, table=_LOCAL)


become_root()
make_network()
os.execvp(sys.argv[1], sys.argv[1:])
