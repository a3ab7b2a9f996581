#!/bin/sh
# Runs a command as root of namespaces of its own for users, mounts and the network, in which it may fill disks and cut
# links. A packet that a rule sends to the table 100 leaves by a device behind which nobody is.
set -eu
ip link set lo up
ip link add sink type veth peer name drain
ip link set sink up
ip link set drain up
ip route add default dev sink table 100
ip rule add pref 100 lookup local
ip rule del pref 0
exec "$@"
