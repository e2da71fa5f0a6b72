"""Medians, ratios, targets, and the Markdown tables that show them."""

import os
import platform
import subprocess
from pathlib import Path
from statistics import median

# Above this a message waited for the generator's own CPU, whatever the proxy did.
LATE_US = 500

COLUMNS = {
    "cpu_us": ("CPU µs a {unit}", "{:.1f}"),
    "per_cpu_second": ("{unit}s a CPU second", "{:.0f}"),
    "rate": ("{unit}s/s", "{:.0f}"),
    "wire": ("wire bytes a payload byte", "{:.3f}"),
    "p50_us": ("p50 µs", "{:.0f}"),
    "p90_us": ("p90 µs", "{:.0f}"),
    "p99_us": ("p99 µs", "{:.0f}"),
    "late_p99_us": ("sent late, p99 µs", "{:.0f}"),
    "proxy_busy": ("share of a CPU", "{:.0%}"),
    "storm_rate": ("TLS handshakes/s beside them", "{:.0f}"),
    "mb_before": ("MB of the process before", "{:.1f}"),
    "kb_connected": ("KB a connection before the first message", "{:.1f}"),
    "kb_busy": ("KB a connection at the last message", "{:.1f}"),
    "kb_used": ("KB a connection, idle after the messages", "{:.1f}"),
}


def values(rounds, entry, metric):
    return [one[entry][metric] for one in rounds if entry in one]


def ratio(rounds, entry, against, metric):
    """The median of the ratios of the rounds: both ran within seconds, so the machine's drift cancels."""
    pairs = [(one[entry][metric], one[against][metric]) for one in rounds if entry in one and against in one]
    return median(ours / theirs for ours, theirs in pairs if theirs) if pairs else None


def ratio_beyond(rounds, entry, against, beyond, metric):
    """What `entry` adds to `beyond` by what `against` adds, of the medians: in one round a difference may be nothing."""
    found = [values(rounds, name, metric) for name in (entry, against, beyond)]
    if not all(found):
        return None
    ours, theirs, base = map(median, found)
    return (ours - base) / (theirs - base) if theirs > base else None


def load_table(load, rounds):
    entries = [entry.name for entry in load.entries if any(entry.name in one for one in rounds)]
    first = entries[0]
    head = ["", *(_heading(column, load) for column in load.columns), f"CPU of {first} / this"]
    lines = [_row(head), _row(["---"] * len(head))]
    for entry in entries:
        relative = ratio(rounds, first, entry, "cpu_us")
        cells = [_cell(values(rounds, entry, column), column) for column in load.columns]
        lines.append(_row([entry, *cells, f"{relative:.2f}" if relative else ""]))
    late = [
        entry for entry in entries if "late_p99_us" in load.columns and max(values(rounds, entry, "late_p99_us")) > LATE_US
    ]
    if late:
        lines += ["", f"The generator itself was late in rounds of {', '.join(late)}: not a latency of the proxy."]
    if load.tls:
        lines += ["", _agreed_tls(entries, rounds)]
    return "\n".join(lines) + "\n"


def _agreed_tls(entries, rounds):
    """Whether all peers did the same work."""
    agreed = {entry: " or ".join(sorted(set(values(rounds, entry, "tls")))) for entry in entries}
    if len(set(agreed.values())) == 1:
        return f"All agreed on {agreed[entries[0]]}."
    return "Not all agreed on the same: " + "; ".join(f"{entry}: {what}" for entry, what in agreed.items()) + "."


def summary(load, metrics):
    """One run in a line."""
    return ", ".join(f"{_heading(column, load)} {COLUMNS[column][1].format(metrics[column])}" for column in load.columns)


VERDICT_HEAD = "| load | target | limit | measured |  |\n| --- | --- | --- | --- | --- |"


def verdicts(name, load, rounds):
    """(table row, whether it is met) of each target whose entries ran."""
    for target in load.targets:
        what, measured = f"{_heading(target.metric, load)}, {target.entry}", _measured(target, rounds)
        if measured is None:
            continue
        if target.against:
            what += f" against {target.against}"
        if target.beyond:
            what += f", what each adds to {target.beyond}"
        limit = f"at {'least' if target.is_floor else 'most'} {target.limit:g}"
        is_met = target.is_met(measured)
        yield _row([name, what, limit, f"{measured:.3f}", "met" if is_met else "**missed**"]), is_met


def _measured(target, rounds):
    if target.beyond:
        return ratio_beyond(rounds, target.entry, target.against, target.beyond, target.metric)
    if target.against:
        return ratio(rounds, target.entry, target.against, target.metric)
    found = values(rounds, target.entry, target.metric)
    return median(found) if found else None


def machine(build, rounds):
    return (
        f"{rounds} round{'s' if rounds > 1 else ''} of wsproxy built as {_build_type(build)}, "
        f"{os.cpu_count()} CPUs {_cpu_model()}, Linux {platform.release().split('-')[0]}, "
        f"{_first_line(['nginx', '-v'])}, {_first_line(['haproxy', '-v']).split(' 20')[0]}, "
        f"load average at the end {os.getloadavg()[0]:.1f}{_pressure()}."
    )


def _heading(column, load):
    return COLUMNS[column][0].format(unit=load.unit)


def _cell(found, column):
    show = COLUMNS[column][1].format
    if len(found) < 2 or show(min(found)) == show(max(found)):
        return show(median(found))
    return f"{show(median(found))} ({show(min(found))} to {show(max(found))})"


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _pressure():
    """How much of the last five minutes something waited for a CPU; kernels may not have it."""
    path = Path("/proc/pressure/cpu")
    if not path.exists():
        return ""
    return f", CPU pressure {path.read_text().split('avg300=')[1].split()[0]} %"


def _build_type(build):
    cache = build / "CMakeCache.txt"
    for line in cache.read_text().splitlines() if cache.exists() else []:
        if line.startswith("CMAKE_BUILD_TYPE:"):
            return line.split("=")[1]
    return "nobody knows what"


def _cpu_model():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.machine()


def _first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return f"no {command[0]}"
    return (done.stdout + done.stderr).splitlines()[0].replace("nginx version: ", "").split(" - ")[0]
