"""What a soak found, in words, as a table in docs/reliability.md and as a figure beside it."""

import os
import platform
import re
from statistics import median

from . import figure
from .world import EXPECTED_LINES

BEGIN, END = "<!-- soak: begin -->\n", "<!-- soak: end -->"


def rows(world):
    """(what, how much) of the run."""
    totals, counts, samples = world.journal.totals, world.journal.counts, world.samples
    kinds = {}
    for visitor in world.crowd:
        kinds[visitor.kind] = kinds.get(visitor.kind, 0) + visitor.connections
    yield "time", f"{world.plan.seconds / 60:.1f} minutes, seed {world.plan.seed}"
    yield "connections", f"{totals.connections} ({', '.join(f'{kind} {count}' for kind, count in kinds.items() if count)})"
    yield "of them cut on purpose", str(totals.cut)
    yield "messages to the app", f"{totals.said_by_clients} sent, {totals.heard_by_apps} came"
    yield "messages to clients", f"{totals.said_by_apps} sent, {totals.heard_by_clients} came"
    yield from ((what, str(count)) for what, count in sorted(counts.items()))
    for line, count in sorted(world.lines.items()):
        yield f"log lines `{line}`", f"{count}: {EXPECTED_LINES.get(line, 'not expected')}"
    if samples:
        cpu = (samples[-1]["cpu_seconds"] - samples[0]["cpu_seconds"]) / max(samples[-1]["at"] - samples[0]["at"], 1)
        yield "connections at a time, median", f"{median(one['connections'] for one in samples):.0f}"
        yield "CPU of the proxy", f"{cpu:.0%} of one"
    for verdict in world.verdicts:
        unit = f" {verdict.bound.unit}" if verdict.bound.unit else ""
        yield (verdict.bound.what, f"median {verdict.level:.1f}{unit}; over {verdict.hours * 60:.0f} minutes {verdict.grown:+.2f}{unit} "
               f"(95 %: {verdict.low:+.2f} to {verdict.high:+.2f}), allowed {verdict.allowed:.1f}: {'**grows**' if verdict.grows else 'does not grow'}")
    if not world.verdicts:
        yield "growth", "not judged, it was too short"
    yield "after all have left", f"{world.end['own_mb']:.1f} MB of its own, {world.end['descriptors']} descriptors, 0 connections"
    yield "faults", str(world.journal.fault_count)


def summary(world):
    return "\n".join(f"{what}: {how_much}" for what, how_much in rows(world))


def table(world):
    lines = ["| | |", "|---|---|", *(f"| {what} | {how_much} |" for what, how_much in rows(world))]
    return "\n".join([*lines, "", machine(), "", "![memory, connections and p99 over time](figures/soak.svg)"]) + "\n"


def machine():
    with open("/proc/cpuinfo") as info:
        models = re.findall(r"^model name\s*: (.*)$", info.read(), re.MULTILINE)
    return f"{os.cpu_count()} CPUs {models[0] if models else platform.machine()}, Linux {platform.release().split('-')[0]}, the crowd on the same machine."


def put(page, text):
    """The page with `text` between its marks, which are put at its end when they are not there."""
    if BEGIN not in page:
        page = (page.rstrip("\n") or "# Reliability") + f"\n\n## Soak\n\n{BEGIN}{END}\n"
    before, rest = page.split(BEGIN)
    return before + BEGIN + text + END + rest.split(END, 1)[1]


def write(world, docs):
    page = docs / "reliability.md"
    (docs / "figures").mkdir(exist_ok=True)
    figure.draw(world.samples, docs / "figures" / "soak.svg")
    page.write_text(put(page.read_text() if page.exists() else "", table(world)))
