"""An attack on a peer beside a well-behaved crowd in the same process, and what it costs whom."""

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from harness import peers
from harness.loads import Entry
from harness.measure import await_phase, generator_of, go_on
from harness.process import Failed, Process, free_port

HERE = Path(__file__).resolve().parent
# Ten clients, which together send a message each two milliseconds.
CLIENTS, RATE = 10, 500
LONGEST = 45.0  # seconds of the crowd's part; it is starved when that is not enough
STARVED = {"p99_us": math.inf, "late_p99_us": 0, "cpu": math.nan, "peak_kb": math.nan, "seconds": math.nan}
ROUTE = "routes:\n  - match: {path: /attack}\n    upstream: {url: 'ws://127.0.0.1:@SINK_PORT@'}\n"


@dataclass(frozen=True)
class Outcome:
    """Of one peer under one attack, and of the seconds before it without."""

    quiet_p99_ms: float
    p99_ms: float  # infinite when the crowd was starved: no answer for ten seconds, or not through after LONGEST
    late_p99_ms: float
    quiet_cpu: float  # of one CPU
    cpu: float
    growth_mb: float  # at its highest
    sent_mb_a_second: float
    made: int
    refused: int

    def cpu_ms_a_mb(self):
        """What a megabyte of the attacker costs, in milliseconds; nothing for attacks of few bytes."""
        return (self.cpu - self.quiet_cpu) * 1e3 / self.sent_mb_a_second if self.sent_mb_a_second > 0.05 else None


class Peak:
    """The most memory that a process has had, looked at every 20 ms."""

    def __init__(self, process):
        self.process, self.kb = process, 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._ends.wait(0.02):
            self.kb = max(self.kb, self.process.memory_kb())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()


def run(name, attack, peer, setting, seconds):
    with tempfile.TemporaryDirectory() as directory:
        with _app(setting, directory, "app") as app, _app(setting, directory, "sink") as sink:
            app_port, sink_port = (int(one.popen.stdout.readline()) for one in (app, sink))
            admin_port = free_port()
            give_way(sink)
            extra = ROUTE.replace("@SINK_PORT@", str(sink_port)) + attack.extra
            settings = (("SINK_PORT", sink_port), ("ADMIN_PORT", admin_port))
            entry = Entry(peer, peer, settings + ((("EXTRA", extra),) if peer == "wsproxy" else ()))
            proxy, port = peers.start(entry, setting, directory, app_port, attack.tls)
            with proxy:
                arguments = _arguments(port, app_port, attack.tls, seconds)
                quiet = _measure(arguments, setting, directory, proxy)
                with _attacker(name, port, admin_port, setting, directory) as attacker:
                    json.loads(attacker.popen.stdout.readline())
                    under = _measure(arguments, setting, directory, proxy, may_starve=True)
                    attacker.popen.stdin.close()
                    did = json.loads(attacker.popen.stdout.readline())
    return Outcome(
        quiet["p99_us"] / 1e3,
        under["p99_us"] / 1e3,
        under["late_p99_us"] / 1e3,
        quiet["cpu"],
        under["cpu"],
        (under["peak_kb"] - quiet["peak_kb"]) / 1024,
        did["sent"] / under["seconds"] / 1e6,
        did["made"],
        did["refused"],
    )


def _measure(arguments, setting, directory, proxy, may_starve=False):
    with generator_of(arguments, setting, directory) as generator:
        ends = threading.Timer(LONGEST, generator.popen.kill)
        ends.start()
        try:
            return _measured(generator, proxy)
        except Failed as problem:
            if not may_starve or (ends.is_alive() and "no answer" not in str(problem)):
                raise
            return STARVED
        finally:
            ends.cancel()


def _measured(generator, proxy):
    await_phase(generator, "connected")
    go_on(generator)
    await_phase(generator, "warm")
    with Peak(proxy) as peak:
        cpu_before = proxy.cpu_seconds()
        go_on(generator)
        result = await_phase(generator, "done")
        cpu = proxy.cpu_seconds() - cpu_before
    go_on(generator)
    generator.popen.wait(10)
    return {**result, "cpu": cpu / result["seconds"], "peak_kb": peak.kb}


def _arguments(port, app_port, tls, seconds):
    words = ["--port", str(port), "--app-port", str(app_port), *(["--tls"] if tls else [])]
    words += ["--kind", "chat", "--connections", str(CLIENTS), "--warmup", "20"]
    return words + ["--rate", str(RATE), "--messages", str(RATE * seconds // CLIENTS)]


def _app(setting, directory, name):
    log = Path(directory) / f"{name}.log"
    return Process([str(setting.build / "bench_app")], log, setting.other_cpus(), stdout=subprocess.PIPE)


def _attacker(name, port, admin_port, setting, directory):
    """Gives way to the crowd and its app, whose CPU it shares, as its own app does: what the crowd sees is then the
    proxy's doing."""
    command = [sys.executable, "-B", str(HERE / "attacker.py"), name, str(port), str(admin_port)]
    attacker = Process(
        command, Path(directory) / "attacker.log", setting.other_cpus(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    return give_way(attacker)


def give_way(process):
    os.setpriority(os.PRIO_PROCESS, process.popen.pid, 19)
    return process
