"""A network of a suite's own, so that some of its clients come from another address than the proxy's."""

import os
import subprocess
import sys

HERE, THERE = "10.9.9.1", "10.9.9.2"  # two addresses, neither of them loopback
MARK = "WSPROXY_TEST_OWN_NETWORK"
SETUP = f'ip link set lo up && ip addr add {HERE}/32 dev lo && ip addr add {THERE}/32 dev lo && exec "$0" "$@"'


def enter():
    """Starts this program again in a network namespace; where the machine has none to give, does nothing."""
    command = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", SETUP]
    if is_inside() or subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        return
    os.environ[MARK] = "1"
    os.execvp(command[0], [*command, sys.executable, "-B", *sys.argv])


def is_inside():
    return MARK in os.environ
