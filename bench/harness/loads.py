"""The loads, who runs them, and what is asked of wsproxy under them."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Entry:
    """One row: a peer under the load, perhaps with settings or generator arguments of its own."""

    name: str
    peer: str
    settings: tuple = ()  # (key, value) for the peer's configuration template; EXTRA is appended to it
    arguments: tuple = ()  # added to the load's


@dataclass(frozen=True)
class Target:
    """`metric` of `entry` is at most, or at least, `limit`, or `limit` times that of `against`.

    With `beyond` only what both have more than that entry counts.
    """

    entry: str
    metric: str
    limit: float
    against: str = ""
    beyond: str = ""
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
    tls: str = ""  # clients come over TLS, and this is the kind of the certificate they are shown


WSPROXY = Entry("wsproxy", "wsproxy")
NGINX = Entry("nginx", "nginx")
NGINX_64K = Entry("nginx, 64k buffers", "nginx", (("BUFFER_SIZE", "64k"),))
HAPROXY = Entry("haproxy", "haproxy")
PYTHON = Entry("python", "python")
DIRECT = Entry("no proxy", "direct")
# What compression is compared with as well: relaying the same messages as they are. nginx hands the client's offer on,
# the app declines it, and the generator sends plain text.
PLAIN = Entry("nginx, uncompressed", "nginx")
LEVEL_1 = Entry("wsproxy, level 1", "wsproxy", (("EXTRA", "compression:\n  level: 1\n"),))
FEW = Entry("wsproxy, 50 connections", "wsproxy", arguments=("--connections", "50", "--messages", "600"))
# Messages a second at which wsproxy is busy for about 20 % of a CPU; the table says how much it was.
FIFTH = 2000
STORM_MESSAGES = 2000
STORM_RATE = 200
KEYS = {"ecdsa": "ECDSA P-256", "rsa": "RSA 2048"}

SPEED = ("cpu_us", "rate", "wire")
HTTP = ("cpu_us", "rate", "p50_us", "p99_us")
HANDSHAKES = ("per_cpu_second", "cpu_us", "rate", "p50_us", "p99_us")
LATENCY = ("p50_us", "p90_us", "p99_us", "late_p99_us", "cpu_us", "proxy_busy")
STORM = ("p50_us", "p99_us", "late_p99_us", "storm_rate", "proxy_busy")
MEMORY = ("mb_before", "kb_connected", "kb_busy", "kb_used", "cpu_us", "wire")


def arguments(**options):
    words = []
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    return tuple(words)


def in_a_storm(entry):
    return replace(entry, name=f"{entry.name}, {STORM_RATE} handshakes/s", arguments=arguments(storm=STORM_RATE))


def handshakes_over_tls(kind):
    title = "The upgrade path over TLS, {}: connect, full handshake, upgrade, close frames both ways, 50 at a time"
    return Load(
        title.format(KEYS[kind]),
        arguments(handshakes=True, connections=50, warmup=2, messages=60),
        (WSPROXY, NGINX, HAPROXY),
        HANDSHAKES,
        (Target("wsproxy", "per_cpu_second", 0.95, "nginx", is_floor=True),),
        unit="handshake",
        tls=kind,
    )


def storm(kind):
    title = "Latency over TLS at {} messages a second while others shake hands, {}: chat JSON, 50 connections"
    return Load(
        title.format(STORM_MESSAGES, KEYS[kind]),
        arguments(kind="chat", connections=50, warmup=20, messages=300, rate=STORM_MESSAGES),
        (WSPROXY, in_a_storm(WSPROXY), NGINX, in_a_storm(NGINX)),
        STORM,
        (Target(in_a_storm(WSPROXY).name, "p99_us", 3.0, "wsproxy"),),
        tls=kind,
    )


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
        (WSPROXY, NGINX, NGINX_64K, HAPROXY),
        SPEED,
        (Target("wsproxy", "cpu_us", 1.0, "haproxy"),),
    ),
    "echo-chat": Load(
        "Echo with compression: chat JSON, 50 connections",
        arguments(kind="chat", deflate=True, connections=50, warmup=100, messages=600),
        (WSPROXY, PLAIN, PYTHON),
        SPEED + ("kb_busy",),
        (
            Target("wsproxy", "cpu_us", 0.25, "python"),
            Target("wsproxy", "cpu_us", 1.8, PLAIN.name),
            Target("wsproxy", "wire", 0.32),
        ),
    ),
    "echo-chat-level1": Load(
        "Echo with compression at level 1: chat JSON, 50 connections",
        arguments(kind="chat", deflate=True, connections=50, warmup=100, messages=600),
        (LEVEL_1, PLAIN),
        SPEED,
        (Target(LEVEL_1.name, "cpu_us", 1.4, PLAIN.name), Target(LEVEL_1.name, "wire", 0.42)),
    ),
    "echo-chat-1000": Load(
        "Echo with compression: chat JSON, 1000 connections",
        arguments(kind="chat", deflate=True, connections=1000, warmup=100, messages=100),
        (WSPROXY, FEW, PLAIN),
        SPEED + ("kb_busy",),
        (Target("wsproxy", "cpu_us", 1.2, FEW.name), Target("wsproxy", "wire", 0.33)),
    ),
    "echo-state": Load(
        "Echo with compression: state JSON of 2 to 8 KB, 50 connections",
        arguments(kind="state", deflate=True, connections=50, warmup=60, messages=200),
        (WSPROXY, PLAIN, PYTHON),
        SPEED,
        (Target("wsproxy", "cpu_us", 0.35, "python"), Target("wsproxy", "wire", 1.0, "python")),
    ),
    "echo-doc": Load(
        "Echo with compression: documents of 64 KB, 50 connections",
        arguments(kind="doc", deflate=True, connections=50, warmup=5, messages=30),
        (WSPROXY, PLAIN, PYTHON),
        SPEED,
        (Target("wsproxy", "cpu_us", 0.35, "python"), Target("wsproxy", "wire", 1.05, "python")),
    ),
    "feed": Load(
        "One feed to 100 connections with compression: chat JSON",
        arguments(kind="chat", deflate=True, feeds=1, connections=100, warmup=200, messages=1000),
        (WSPROXY, PLAIN, PYTHON),
        SPEED + ("p99_us", "mb_before", "kb_used"),
        (
            Target("wsproxy", "cpu_us", 1.3, PLAIN.name),
            Target("wsproxy", "wire", 0.33),
            Target("wsproxy", "kb_used", 4),
        ),
    ),
    "feeds": Load(
        "Ten feeds to 100 connections each with compression, 5 % private messages: chat JSON",
        arguments(kind="chat", deflate=True, feeds=10, connections=1000, private_share=0.05, warmup=50, messages=200),
        (WSPROXY, PLAIN),
        SPEED + ("p99_us", "mb_before", "kb_used"),
        (
            Target("wsproxy", "cpu_us", 1.8, PLAIN.name),
            Target("wsproxy", "wire", 0.45),
            Target("wsproxy", "kb_used", 8),
        ),
    ),
    "random": Load(
        "Echo of 4 KB random binary, compression agreed, 50 connections",
        arguments(kind="random", deflate=True, connections=50, warmup=40, messages=400),
        (WSPROXY, PLAIN, PYTHON),
        SPEED,
        (Target("wsproxy", "cpu_us", 1.1, PLAIN.name), Target("wsproxy", "wire", 1.01)),
    ),
    "idle": Load(
        "Memory of idle connections: 1000, before and after 200 chat messages each way, with compression",
        arguments(kind="chat", deflate=True, connections=1000, warmup=0, messages=200),
        (WSPROXY, PYTHON),
        MEMORY,
        (Target("wsproxy", "kb_used", 10), Target("wsproxy", "kb_connected", 3)),
        rounds_at_most=2,
    ),
    "latency-20": Load(
        f"Latency while wsproxy compresses for about a fifth of its CPU: chat JSON, {FIFTH} messages a second, 50 connections",
        arguments(kind="chat", deflate=True, connections=50, warmup=100, messages=400, rate=FIFTH),
        (WSPROXY, PLAIN, DIRECT),
        LATENCY,
        (Target("wsproxy", "p99_us", 1.5, PLAIN.name, beyond=DIRECT.name),),
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
    "tls-chat": Load(
        "Relay over TLS without compression: chat JSON, 50 connections",
        arguments(kind="chat", connections=50, warmup=100, messages=2000),
        (WSPROXY, NGINX, HAPROXY),
        SPEED,
        (Target("wsproxy", "cpu_us", 1.0, "nginx"),),
        tls="ecdsa",
    ),
    "tls-large": Load(
        "Relay over TLS without compression: 64 KiB messages, 50 connections",
        arguments(kind="large", connections=50, warmup=5, messages=100),
        (WSPROXY, NGINX, NGINX_64K, HAPROXY),
        SPEED,
        tls="ecdsa",
    ),
    "tls-handshakes": handshakes_over_tls("ecdsa"),
    "tls-handshakes-rsa": handshakes_over_tls("rsa"),
    "tls-idle": Load(
        "Memory of idle connections over TLS: 2000, after 5 chat messages each way, without compression",
        arguments(kind="chat", connections=2000, warmup=0, messages=5),
        (WSPROXY, NGINX, HAPROXY),
        MEMORY,
        (Target("wsproxy", "kb_used", 0.6, "nginx"),),
        rounds_at_most=2,
        tls="ecdsa",
    ),
    "tls-storm": storm("ecdsa"),
    "tls-storm-rsa": storm("rsa"),
}
