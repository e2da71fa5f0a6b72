"""What scripts/scale puts into docs/benchmarks.md: tables by the number of connections, and the sizing that follows."""

from statistics import median

from .page import replace
from .report import _row

FIRST = 1000  # below, what a process takes once would count as much as its connections
TABLES = (
    ("used_mb", "MB of the process, idle after the messages", "{:.1f}"),
    ("ramp_cpu_us", "CPU µs to open a connection", "{:.0f}"),
    ("cpu_us", "CPU µs a message", "{:.1f}"),
    ("last_ms", "ms until the last has a broadcast", "{:.0f}"),
)


def slope(figures, metric, scale=1024.0):
    """KB a connection of a metric in MB: the median of all pairs of points, small ones left out; None with less than two."""
    points = [(one["connections"], one[metric]) for one in figures if one["connections"] >= FIRST and one[metric] is not None]
    found = [(b[1] - a[1]) / (b[0] - a[0]) * scale for at, a in enumerate(points) for b in points[at + 1:]]
    return median(found) if found else None


def table(title, metric, show, found):
    """`found`: figures by row and in the order of the points."""
    numbers = sorted({one["connections"] for figures in found.values() for one in figures})
    lines = [f"**{title}**", "", _row(["connections", *map(str, numbers)]), _row(["---"] * (len(numbers) + 1))]
    for name, figures in found.items():
        cells = {one["connections"]: show.format(one[metric]) for one in figures if one[metric] is not None}
        if cells:
            lines.append(_row([name, *(cells.get(number, "") for number in numbers)]))
    return "\n".join(lines) + "\n"


def memory_table(found):
    lines = ["**KB a connection**, the slope over their number", "",
             _row(["", "before the first message", "idle after the messages", "of the kernel besides"]), _row(["---"] * 4)]
    for name, figures in found.items():
        cells = [slope(figures, metric) for metric in ("connected_mb", "used_mb", "kernel_mb")]
        lines.append(_row([name, *("" if cell is None else f"{cell:.1f}" for cell in cells)]))
    return "\n".join(lines) + "\n"


def idle_table(idle):
    lines = ["**Idle and drain**, wsproxy with its defaults: a ping every 30 s, close frames spread over 5 s", "",
             _row(["connections", "share of a CPU while idle", "pings", "seconds of idling", "drained after, s", "most close frames in a second"]),
             _row(["---"] * 6)]
    for one in idle:
        lines.append(_row([str(one["connections"]), f"{one['idle_cpu']:.2%}", str(one["pings"]), f"{one['idle_seconds']:.0f}",
                           f"{one['drain_seconds']:.1f}", str(one["most_in_a_second"])]))
    return "\n".join(lines) + "\n"


def sizing(found, idle):
    """Sentences, as far as what they stand on was measured."""
    plain, shared, own = (found.get(f"wsproxy{kind}") for kind in ("", ", compression", ", compression, own messages"))
    secure = found.get("wsproxy, TLS, compression, own messages")
    if not (plain and own and secure and idle) or None in (slope(own, "used_mb"), slope(secure, "used_mb")):
        return ""
    base = max(one["used_mb"] - slope(figures, "used_mb") / 1024 * one["connections"] + one["mapped_mb"]
               for figures in (plain, own, secure) for one in figures)
    kernel = max(slope(figures, "kernel_mb") or 0 for figures in (plain, own, secure))
    most, opened = idle[-1], secure[-1]
    each = {name: slope(figures, "used_mb") for name, figures in (("without compression", plain), ("with it", own), ("with it and TLS", secure))}
    need = {count: base + count * (each["with it and TLS"] + kernel) / 1024 for count in (1000, 10_000)}
    return "\n".join([
        "What to give it, from these figures:", "",
        f"- **Memory request**: {base:.0f} MB, its code included, and for a connection {', '.join(f'{kb:.0f} KB {name}' for name, kb in each.items())}. The "
        f"kernel's part is up to {kernel:.0f} KB a connection on top, and counts in a container's limit: with all of it "
        + ", ".join(f"{mb:.0f} MB for {count} connections" for count, mb in need.items()) + ".",
        "- **Memory limit**: twice that, and for each client that may be slow at the same time `limits.write_buffer` (1 MiB) each way. "
        "What compression has of it ends at `compression.memory`.",
        f"- **CPU** of 1000 connections: idle {most['idle_cpu'] / most['connections'] * 1e5:.2f} % of one; 1000 messages a second "
        f"{_share(plain)} without compression, {_share(shared or own)} with it when all get the same, {_share(own)} when each gets its own. "
        f"1000 connections that come back at once take {opened['ramp_cpu_us'] / 1000:.1f} s of it with TLS, {plain[-1]['ramp_cpu_us'] / 1000:.1f} s without.",
        "- **Descriptors**: two a connection and 64. Where the limit cannot be raised, it is what bounds a process.", ""])


def _share(figures):
    """Of a CPU, for 1000 messages a second at the largest number of connections."""
    return f"{figures[-1]['cpu_us'] / 10:.1f} %"


def text(found, idle, limit, machine):
    parts = [f"Up to {max(one['connections'] for figures in found.values() for one in figures)} connections: a process may have {limit} "
             "descriptors here, and a proxy needs two a connection.\n", "![memory and CPU by the number of connections](figures/scale.svg)\n",
             memory_table(found), *(table(title, metric, show, found) for metric, title, show in TABLES)]
    if idle:
        parts.append(idle_table(idle))
    parts += [sizing(found, idle), machine + "\n"]
    return "\n".join(part for part in parts if part)


def update(path, words):
    replace(path, "scale", lambda _: words)
