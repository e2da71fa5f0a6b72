"""Many connections: what each costs in memory and CPU, by how many there are.

One run opens all connections one after the other, then an app's broadcasts go to all of them, each when the last has
come; then nobody says anything. Memory is looked at before the first message, and when all is idle again. What a
connection takes is the slope over their number: a process has more or less to spare before the first.
"""

import dataclasses
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import peers
from .measure import await_phase, generator_of, go_on
from .process import Failed, Process

SPARE = 400  # descriptors that a proxy needs for other things than connections
POINTS = (100, 1000, 2500, 5000)
MOST = 25_000  # the kernel has 28,000 ports for one address
IDLE_SECONDS = 2
# Not dentries and file structures' neighbours, which compilers and browsers have too.
OF_SOCKETS = ("TCP", "sock_inode_cache", "filp", "eventpoll_epi")
SETTLED_KB = 64  # memory that changes by less in a quarter of a second is settled


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    peer: str
    deflate: bool = False
    tls: str = ""
    own: bool = False  # each connection has messages of its own, there and back, instead of broadcasts
    most: int = MOST


ROWS = (
    Row("wsproxy", "wsproxy"),
    Row("wsproxy, compression", "wsproxy", deflate=True),
    Row("wsproxy, compression, own messages", "wsproxy", deflate=True, own=True),
    Row("wsproxy, TLS", "wsproxy", tls="ecdsa"),
    Row("wsproxy, TLS, compression, own messages", "wsproxy", deflate=True, tls="ecdsa", own=True),
    Row("nginx", "nginx"),
    Row("nginx, TLS", "nginx", tls="ecdsa", most=5000),
    Row("haproxy", "haproxy"),
    Row("haproxy, TLS", "haproxy", tls="ecdsa", most=5000),
    Row("python, compression", "python", deflate=True, most=2500),
    Row("no proxy", "direct"),
)


def points(hard_limit):
    """Numbers of connections up to what a process with two descriptors a connection may have."""
    most = min(MOST, (hard_limit - SPARE) // 2 // 100 * 100)
    return tuple(point for point in POINTS if point < most) + ((most,) if most > 0 else ())


@dataclasses.dataclass(frozen=True)
class Entry:
    """What peers.start wants."""

    name: str
    peer: str
    settings: tuple


def entry_of(row, connections, *, pings=False):
    if row.peer == "wsproxy":
        # The generator answers no ping while it opens connections.
        extra = f"limits: {{max_connections: {connections + 100}}}\n" + ("" if pings else "timeouts: {ping_interval: 0s}\n")
        return Entry(row.name, row.peer, (("EXTRA", extra),))
    # What nginx counts are legs.
    wanted = 2 * connections + 100 if row.peer == "nginx" else connections + 50
    return Entry(row.name, row.peer, (("CONNECTIONS", wanted), ("DESCRIPTORS", 2 * connections + SPARE)))


def arguments_of(row, connections, port, app_port):
    words = ["--port", str(port), "--app-port", str(app_port), "--connections", str(connections), "--warmup", "1"]
    words += ["--messages", "4"] if row.own else ["--feeds", "1", "--messages", str(broadcasts(connections))]
    return words + ["--deflate"] * row.deflate + ["--tls"] * bool(row.tls)


def broadcasts(connections):
    return max(4, min(100, 30_000 // connections))


def run(row, connections, setting):
    """The figures of one row at one number of connections."""
    with tempfile.TemporaryDirectory() as directory:
        app = Process([str(setting.build / "bench_app")], Path(directory, "app.log"), setting.other_cpus(), stdout=subprocess.PIPE)
        with app:
            app_port = int(app.popen.stdout.readline())
            if row.peer == "direct":
                return _figures(row, connections, setting, directory, app, app_port, app_port)
            proxy, port = peers.start(entry_of(row, connections), setting, directory, app_port, row.tls)
            with proxy:
                return _figures(row, connections, setting, directory, proxy, port, app_port)


def _figures(row, connections, setting, directory, process, port, app_port):
    _rehearse(row, setting, directory, port, app_port)
    kernel_before_kb, cpu_before = kernel_kb(), process.cpu_seconds()
    began = time.monotonic()
    with generator_of(arguments_of(row, connections, port, app_port), setting, directory) as generator:
        await_phase(generator, "connected")
        ramp_seconds, cpu_connected = time.monotonic() - began, process.cpu_seconds()
        connected_kb, kernel_connected_kb = settled_kb(process), kernel_kb()
        go_on(generator)
        await_phase(generator, "warm")
        cpu_warm = process.cpu_seconds()
        go_on(generator)
        result = await_phase(generator, "done")
        cpu_done = process.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        used_kb, mapped = settled_kb(process), mapped_mb(process)
        go_on(generator)
        generator.popen.wait(60)
    return {
        "connections": connections,
        "connected_mb": connected_kb / 1024,
        "used_mb": used_kb / 1024,
        # Of a connection's four sockets on this machine two are the proxy's; without one there are two.
        "kernel_mb": None if kernel_before_kb is None else
                     (kernel_connected_kb - kernel_before_kb) / 1024 / (1 if row.peer == "direct" else 2),
        "mapped_mb": mapped,
        "ramp_rate": connections / ramp_seconds,
        "ramp_cpu_us": (cpu_connected - cpu_before) / connections * 1e6,
        "cpu_us": (cpu_done - cpu_warm) / result["messages"] * 1e6,
        "last_ms": None if row.own else result["seconds"] / broadcasts(connections) * 1e3,
        "compressed": result["compressed"],
    }


def _rehearse(row, setting, directory, port, app_port):
    """Some connections come and go: what the process takes once is not what a connection takes."""
    with generator_of([*arguments_of(row, 4, port, app_port), "--seed", "1000000"], setting, directory) as generator:
        generator.popen.communicate("\n\n\n")
    if generator.popen.returncode != 0:
        raise Failed(f"the load generator gave up: {generator.log()}")


def settled_kb(process, deadline=5):
    """What the process has when it no longer changes."""
    end, last = time.monotonic() + deadline, process.memory_kb()
    while time.monotonic() < end:
        time.sleep(0.25)
        now = process.memory_kb()
        if abs(now - last) < SETTLED_KB:
            return now
        last = now
    return last


def kernel_kb():
    """What the kernel has of sockets with their files, and of bytes in them; None for who may not see it."""
    try:
        caches = Path("/proc/slabinfo").read_text().splitlines()[2:]
    except PermissionError:
        return None
    size = {cache: int(active) * int(each) for cache, active, _, each, *_ in map(str.split, caches)}
    pages = re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.MULTILINE)
    return sum(size.get(cache, 0) for cache in OF_SOCKETS) / 1024 + int(pages[1]) * 4


def mapped_mb(process):
    """Of files, mostly its code: a container's limit has it in it."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    return int(re.search(r"^RssFile:\s+(\d+)", status, re.MULTILINE)[1]) / 1024


def idle_and_drain(connections, setting, seconds):
    """Connections that say nothing but pong for that long, then are told to go by a proxy that is told to end."""
    row = ROWS[1]
    with tempfile.TemporaryDirectory() as directory:
        app = Process([str(setting.build / "bench_app")], Path(directory, "app.log"), setting.other_cpus(), stdout=subprocess.PIPE)
        with app:
            proxy, port = peers.start(entry_of(row, connections, pings=True), setting, directory, int(app.popen.stdout.readline()))
            crowd = Process([sys.executable, "-B", "-m", "harness.crowd", str(port), str(connections)], Path(directory, "crowd.log"),
                            setting.other_cpus(), stdout=subprocess.PIPE, cwd=peers.BENCH)
            with proxy, crowd:
                if crowd.popen.stdout.readline() != "open\n":
                    raise Failed(f"the crowd gave up: {crowd.log()}")
                cpu_before = proxy.cpu_seconds()
                time.sleep(seconds)
                cpu_idle = proxy.cpu_seconds() - cpu_before
                began = time.monotonic()
                proxy.popen.send_signal(signal.SIGTERM)
                told = json.loads(crowd.popen.stdout.readline() or "null")
                if told is None:
                    raise Failed(f"the crowd gave up: {crowd.log()}")
                code = proxy.popen.wait(60)
                drain_seconds = time.monotonic() - began
    if code != 0 or told["codes"] != {"1001": connections}:
        raise Failed(f"a drain that is none: exit code {code}, close codes {told['codes']}")
    return {"connections": connections, "idle_cpu": cpu_idle / seconds, "pings": told["pings"], "idle_seconds": seconds,
            "drain_seconds": drain_seconds, "most_in_a_second": most_in_a_second(told["times"])}


def most_in_a_second(times):
    """`times` in order."""
    most, first = 0, 0
    for last, time_of_last in enumerate(times):
        while times[first] < time_of_last - 1:
            first += 1
        most = max(most, last - first + 1)
    return most
