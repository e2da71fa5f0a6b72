"""Ports for the proxy to listen on, free and ours alone while this process lives."""

import fcntl
import os
import random
import socket
import tempfile

# Below the range from which the kernel takes the ports of outgoing connections, so that none of those
# can sit on a port between our look at it and the proxy's bind.
FIRST, LAST = 20000, 32000

_held = []


def free_port():
    folder = os.path.join(tempfile.gettempdir(), "wsproxy-test-ports")
    os.makedirs(folder, exist_ok=True)
    while True:
        port = random.randrange(FIRST, LAST)
        lock = open(os.path.join(folder, str(port)), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        if _bindable(socket.AF_INET, "127.0.0.1", port) and _bindable(socket.AF_INET6, "::1", port):
            _held.append(lock)
            return port
        lock.close()


def _bindable(family, host, port):
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return True
    except OSError:
        return family == socket.AF_INET6 and not has_ipv6()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False
