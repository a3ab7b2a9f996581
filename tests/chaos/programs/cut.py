"""Cuts TCP ports off, or joins them again: `cut.py add|del PORT...`, within the namespaces of `ground.py`."""

import socket
import sys

from pyroute2 import IPRoute

_NOWHERE = 100
_PRIORITY = 50

action, *ports = sys.argv[1:]
with IPRoute() as routes:
    for port in ports:
        for side in ("sport_range", "dport_range"):
            match = {"ip_proto": socket.IPPROTO_TCP, side: f"{port}:{port}"}
            routes.rule(action, family=socket.AF_INET, priority=_PRIORITY, table=_NOWHERE, **match)
