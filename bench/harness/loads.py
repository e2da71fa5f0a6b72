"""The loads, who runs them, and what is asked of wsproxy under them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """One row: a peer under the load, perhaps with settings or generator arguments of its own."""

    name: str
    peer: str
    settings: tuple = ()  # (key, value) for the peer's configuration template; EXTRA is appended to it
    arguments: tuple = ()  # added to the load's


@dataclass(frozen=True)
class Target:
    """`metric` of `entry` is at most, or at least, `limit`, or `limit` times that of `against`."""

    entry: str
    metric: str
    limit: float
    against: str = ""
    is_floor: bool = False

    def is_met(self, measured):
        return measured >= self.limit if self.is_floor else measured <= self.limit


@dataclass(frozen=True)
class Load:
    title: str
    arguments: tuple  # of bench_load; --connections and --seconds for wrk
    entries: tuple
    columns: tuple  # metrics shown
    targets: tuple = field(default=())
    rounds_at_most: int = 99  # memory does not vary between rounds
    generator: str = "bench_load"
    unit: str = "message"  # what CPU time is divided by


WSPROXY = Entry("wsproxy", "wsproxy")
NGINX = Entry("nginx", "nginx")
HAPROXY = Entry("haproxy", "haproxy")
PYTHON = Entry("python", "python")
DIRECT = Entry("no proxy", "direct")

SPEED = ("cpu_us", "rate", "wire")
HTTP = ("cpu_us", "rate", "p50_us", "p99_us")
HANDSHAKES = ("per_cpu_second", "cpu_us", "rate", "p50_us", "p99_us")
LATENCY = ("p50_us", "p90_us", "p99_us", "late_p99_us", "cpu_us")
MEMORY = ("kb_connected", "kb_busy", "kb_used", "cpu_us", "wire")


def arguments(**options):
    words = []
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    return tuple(words)


LOADS = {
    "http": Load(
        "Plain HTTP: keep-alive GET of 1 KiB, 50 connections",
        arguments(connections=50, seconds=5),
        (WSPROXY, NGINX, HAPROXY),
        HTTP,
        (Target("wsproxy", "cpu_us", 1.3, "nginx"),),
        generator="wrk",
        unit="request",
    ),
    "handshakes": Load(
        "The upgrade path: connect, upgrade, close frames both ways, 50 at a time",
        arguments(handshakes=True, connections=50, warmup=10, messages=200),
        (WSPROXY, NGINX, HAPROXY),
        HANDSHAKES,
        (Target("wsproxy", "per_cpu_second", 0.7, "nginx", is_floor=True),),
        unit="handshake",
    ),
    "relay-chat": Load(
        "Relay without compression: chat JSON, 50 connections",
        arguments(kind="chat", connections=50, warmup=100, messages=2000),
        (WSPROXY, NGINX, HAPROXY),
        SPEED,
        (Target("wsproxy", "cpu_us", 1.0, "nginx"),),
    ),
    "relay-large": Load(
        "Relay without compression: 64 KiB messages, 50 connections",
        arguments(kind="large", connections=50, warmup=5, messages=100),
        (WSPROXY, NGINX, Entry("nginx, 64k buffers", "nginx", (("BUFFER_SIZE", "64k"),)), HAPROXY),
        SPEED,
        (Target("wsproxy", "cpu_us", 1.0, "haproxy"),),
    ),
    "echo-chat": Load(
        "Echo with compression: chat JSON, 50 connections",
        arguments(kind="chat", deflate=True, connections=50, warmup=100, messages=600),
        (WSPROXY, PYTHON),
        SPEED + ("kb_busy",),
        (Target("wsproxy", "cpu_us", 0.5, "python"), Target("wsproxy", "wire", 0.33)),
    ),
    "idle": Load(
        "Memory of idle connections: 1000, before and after 200 chat messages each way, with compression",
        arguments(kind="chat", deflate=True, connections=1000, warmup=0, messages=200),
        (WSPROXY, PYTHON),
        MEMORY,
        (Target("wsproxy", "kb_used", 16),),
        rounds_at_most=2,
    ),
    "latency": Load(
        "Latency at 2000 messages a second without compression: chat JSON, 50 connections",
        arguments(kind="chat", connections=50, warmup=20, messages=200, rate=2000),
        (WSPROXY, NGINX, HAPROXY, DIRECT),
        LATENCY,
    ),
    "latency-deflate": Load(
        "Latency at 2000 messages a second with compression: chat JSON, 50 connections",
        arguments(kind="chat", deflate=True, connections=50, warmup=20, messages=200, rate=2000),
        (WSPROXY, PYTHON),
        LATENCY,
    ),
}
