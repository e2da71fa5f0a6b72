#!/usr/bin/env python3
"""What a scrape of /metrics takes while many idle connections are open, and what it does to the echoes of another client.

Prints a line for echoes and scrapes each by themselves, then together. See docs/benchmarks.md.
"""

import argparse
import base64
import http.client
import multiprocessing
import os
import resource
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness.process import Failed, Process, free_port  # noqa: E402

CONFIG = """
listeners: [{{address: "127.0.0.1:{port}"}}]
upstream: {{url: "ws://127.0.0.1:{app}"}}
admin: {{address: "127.0.0.1:{admin}"}}
limits: {{max_connections: {limit}}}
timeouts: {{ping_interval: 0s}}
log: {{access: false}}
workers: {workers}
"""
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
TEXT = "text/plain; version=0.0.4"
MASK = b"\x01\x02\x03\x04"
PAYLOAD = b"some words that go there and back, " * 6
PAUSE = 0.002  # seconds between two echoes: the client is not what is busy


def connect(port):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = sock.recv(4096)
        if not piece:
            raise Failed("the proxy closed a connection in its handshake")
        head += piece
    if not head.startswith(b"HTTP/1.1 101"):
        raise Failed(head.decode())
    return sock


def read_exactly(sock, size):
    got = b""
    while len(got) < size:
        piece = sock.recv(size - len(got))
        if not piece:
            raise Failed("the proxy closed a connection")
        got += piece
    return got


def echo_times(port, seconds):
    """Milliseconds of each echo on one connection."""
    sock = connect(port)
    masked = bytes(byte ^ MASK[at % 4] for at, byte in enumerate(PAYLOAD))
    frame = bytes([0x82, 0x80 | 126]) + len(PAYLOAD).to_bytes(2, "big") + MASK + masked
    times, end = [], time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        sock.sendall(frame)
        if read_exactly(sock, 4 + len(PAYLOAD))[4:] != PAYLOAD:
            raise Failed("the echo is another than what was sent")
        times.append((time.monotonic() - began) * 1e3)
        time.sleep(PAUSE)
    sock.close()
    return times


def scrape_times(admin, accept, count, done=None):
    """Milliseconds of each scrape on a kept connection; without a count until this process is ended. `done` counts them too."""
    connection = http.client.HTTPConnection("127.0.0.1", admin)
    times = []
    while count is None or len(times) < count:
        began = time.monotonic()
        connection.request("GET", "/metrics", headers={"Accept": accept})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise Failed(f"a scrape was answered with {answer.status}")
        times.append((time.monotonic() - began) * 1e3)
        if done is not None:
            done.value = len(times)
    return times


def at(times, share):
    return sorted(times)[int(share * (len(times) - 1))]


def report(port, admin, connections, seconds):
    for name, accept in (("text", TEXT), ("OpenMetrics", OPEN_METRICS)):
        times = scrape_times(admin, accept, 50)
        print(f"{connections} idle connections, 50 scrapes, {name}: median {at(times, 0.5):.2f} ms, max {at(times, 1):.2f} ms")

    def echoes(what):
        times = echo_times(port, seconds)
        print(f"echoes of another client, {what}: p50 {at(times, 0.5):.3f} ms, p99 {at(times, 0.99):.3f} ms, max {at(times, 1):.2f} ms")

    echoes("no scrapes")
    done = multiprocessing.Value("L", 0)
    scraper = multiprocessing.Process(target=scrape_times, args=(admin, OPEN_METRICS, None, done), daemon=True)
    scraper.start()
    while done.value == 0 and scraper.is_alive():
        time.sleep(0.01)
    before = done.value
    echoes("scraped without a pause")
    scrapes = done.value - before
    if not scraper.is_alive() or scrapes == 0:
        raise Failed("the scraper has ended or got no answer: the echoes above were not scraped all the time")
    scraper.kill()
    print(f"meanwhile {scrapes} scrapes")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=Path("build/release"))
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--seconds", type=float, default=10, help="of echoes, without scrapes and with them")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    # Two for each connection in the proxy.
    needed = 2 * arguments.connections + 200
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(needed, hard)))
    except (ValueError, PermissionError):
        raise Failed(f"it takes {needed} open files, and the hard limit is {hard}: raise it, or ask for fewer --connections") from None
    port, admin, app = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "wsproxy.yaml")
        limit = arguments.connections + 100
        config.write_text(CONFIG.format(port=port, app=app, admin=admin, limit=limit, workers=arguments.workers))
        with Process([arguments.build_dir / "bench_app", "--port", str(app)], Path(folder, "app")) as app_process:
            app_process.await_port(app)
            with Process([arguments.build_dir / "wsproxy", "run", "--config", config], Path(folder, "proxy")) as proxy:
                proxy.await_port(admin)
                proxy.await_port(port)
                idle = [connect(port) for _ in range(arguments.connections)]
                report(port, admin, len(idle), arguments.seconds)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"scrape: {failure}")
