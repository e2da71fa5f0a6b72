"""How long the program of an image takes from exec until it accepts a connection: ROOT LIMIT_MS.

podman itself takes far longer than wsproxy to start, so its root is entered by chroot, as the image's user, in the network
that this script runs in. Prints the median of several starts and fails if that is not below the limit.
"""
import os
import signal
import socket
import statistics
import sys
import time

RUNS = 10
PORT = 8109
ENVIRONMENT = {"WS_PROXY_HOST": "0.0.0.0", "WS_PROXY_ADMIN": "127.0.0.1:9190"}


def start(root, silence):
    pid = os.fork()
    if pid:
        return pid
    os.chroot(root)
    os.chdir("/")
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.setgroups([])
    os.setgid(65532)
    os.setuid(65532)
    os.execve("/usr/bin/wsproxy", ["wsproxy", "run", "--port", str(PORT)], ENVIRONMENT)


def accepts():
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", PORT)) == 0


def once(root, silence):
    begin = time.monotonic()
    pid = start(root, silence)
    try:
        while not accepts():
            if time.monotonic() - begin > 10:
                sys.exit("it does not accept a connection within 10 s")
            time.sleep(0.0005)
        return (time.monotonic() - begin) * 1000
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def main():
    root, limit = sys.argv[1], float(sys.argv[2])
    silence = os.open(os.devnull, os.O_WRONLY)
    times = [once(root, silence) for _ in range(RUNS)]
    median = statistics.median(times)
    print(f"{median:.1f} ms, the median of {RUNS} ({min(times):.1f} to {max(times):.1f})")
    return 0 if median < limit else 1


sys.exit(main())
