"""Runs a load against a peer and looks at the peer's process meanwhile."""

import contextlib
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import peers, wrk
from .process import Failed, Process


IDLE_SECONDS = 5


@dataclass(frozen=True)
class Setting:
    """What all runs share."""

    build: Path
    pin: bool
    scale: float  # of the number of measured messages
    workers: int = 1  # of the proxies that can have more than one
    certificates: Path | None = None  # where those for loads over TLS are
    watch: Callable = lambda process: contextlib.nullcontext()  # around the measured messages

    def proxy_cpus(self):
        """A CPU for each worker, if there is one left for the others then."""
        return set(range(self.workers)) if self.pin and os.cpu_count() > self.workers else None

    def other_cpus(self):
        """The app and the generator share what the proxy does not use."""
        return set(range(self.workers, os.cpu_count())) if self.proxy_cpus() else None


def run(load, entry, setting):
    """One run on fresh processes; returns the metrics by name."""
    with tempfile.TemporaryDirectory() as directory:
        app = Process(
            [str(setting.build / "bench_app")],
            Path(directory) / "app.log",
            setting.other_cpus(),
            stdout=subprocess.PIPE,
        )
        with app:
            app_port = int(app.popen.stdout.readline())
            if entry.peer == "direct":
                metrics = _load(load, entry, setting, directory, app, app_port, app_port)
            else:
                proxy, port = peers.start(entry, setting, directory, app_port, load.tls)
                with proxy:
                    metrics = _load(load, entry, setting, directory, proxy, port, app_port)
            _check_app(entry, app_port)
    return metrics


def _load(load, entry, setting, directory, process, port, app_port):
    if load.generator == "wrk":
        found = wrk.run(load, setting, directory, process, port)
    else:
        found = _messages(load, entry, setting, directory, process, port, app_port)
    cpu, generator_cpu = found.pop("cpu"), found.pop("generator_cpu")
    return {
        **found,
        "cpu_us": cpu / found["messages"] * 1e6,
        "per_cpu_second": found["messages"] / cpu,
        "rate": found["messages"] / found["seconds"],
        "proxy_busy": cpu / found["seconds"],
        "generator_busy": generator_cpu / found["seconds"],
    }


def _messages(load, entry, setting, directory, process, port, app_port):
    arguments = _scaled(load.arguments + entry.arguments, setting.scale)
    arguments = ("--port", str(port), "--app-port", str(app_port), *(["--tls"] if load.tls else []), *arguments)
    has_memory_of_idle = "kb_used" in load.columns
    if has_memory_of_idle:
        _rehearse(arguments, setting, directory)
    before_kb = process.memory_kb()
    with generator_of(arguments, setting, directory) as generator:
        await_phase(generator, "connected")
        connected_kb = process.memory_kb()
        go_on(generator)
        await_phase(generator, "warm")
        with setting.watch(process):
            cpu_before = process.cpu_seconds()
            go_on(generator)
            result = await_phase(generator, "done")
            cpu = process.cpu_seconds() - cpu_before
        busy_kb = process.memory_kb()
        if has_memory_of_idle:
            _become_idle(setting)  # every peer gets the time to become idle
        used_kb = process.memory_kb()
        go_on(generator)
        generator.popen.wait(10)
    connections = _option(arguments, "--connections")
    return {
        "messages": result["messages"],
        "seconds": result["seconds"],
        "cpu": cpu,
        "generator_cpu": result["generator_cpu_seconds"],
        "wire": result["received_per_payload"],
        "compressed": result["compressed"],
        "p50_us": result["p50_us"],
        "p90_us": result["p90_us"],
        "p99_us": result["p99_us"],
        "late_p99_us": result["late_p99_us"],
        "storm_rate": result["storm_handshakes"] / result["seconds"],
        "tls": result["tls"],
        "mb_before": before_kb / 1024,
        "kb_connected": (connected_kb - before_kb) / connections,
        "kb_busy": (busy_kb - before_kb) / connections,
        "kb_used": (used_kb - before_kb) / connections,
    }


def _become_idle(setting):
    time.sleep(IDLE_SECONDS * min(1, setting.scale))


def _rehearse(arguments, setting, directory):
    """A few connections come and go first: what a worker takes once is not what a connection takes."""
    few = max(setting.workers, _option(arguments, "--feeds"))  # each worker and each feed has one
    others = ("--connections", str(few), "--seed", "1000000")  # other messages: nothing may remember those to come
    with generator_of((*arguments, *others), setting, directory) as generator:
        generator.popen.communicate("\n\n\n")
    if generator.popen.returncode != 0:
        raise Failed(f"the load generator gave up: {generator.log()}")
    _become_idle(setting)


def generator_of(arguments, setting, directory):
    return Process(
        [str(setting.build / "bench_load"), *arguments],
        Path(directory) / "load.log",
        setting.other_cpus(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def await_phase(generator, phase):
    line = generator.popen.stdout.readline()
    if not line:
        raise Failed(f"the load generator gave up: {generator.log()}")
    report = json.loads(line)
    assert report["phase"] == phase, report
    return report


def go_on(generator):
    generator.popen.stdin.write("\n")
    generator.popen.stdin.flush()


def _check_app(entry, app_port):
    """A proxy that hands compressed frames or offers to an app that cannot compress is no proxy."""
    with urllib.request.urlopen(f"http://127.0.0.1:{app_port}/counts") as answer:
        counts = json.load(answer)
    if counts["faults"]:
        raise Failed(f"{entry.name}: the app got {counts['faults']} frames that it must not get")
    if counts["extension_offers"] and peers.PEERS[entry.peer].removes_extensions:
        raise Failed(f"{entry.name}: the app was offered an extension")


def _option(arguments, name):
    """The last one counts, as for the generator; 0 without."""
    return int(arguments[len(arguments) - arguments[::-1].index(name)]) if name in arguments else 0


def _scaled(arguments, scale):
    words = list(arguments)
    for at, word in enumerate(words):
        if word == "--messages":
            words[at + 1] = str(max(1, int(int(words[at + 1]) * scale)))
    return words
