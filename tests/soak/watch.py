"""Looks at the proxy's process and at the bystander, an interval at a time."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MB = 1024


def process_figures(pid):
    rollup = {line.split(":")[0]: int(line.split()[1]) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]}
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return {"own_mb": rollup["Pss_Anon"] / MB, "rss_mb": rollup["Rss"] / MB, "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "cpu_seconds": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")}


class Pulse:
    """The bystander's process."""

    def __init__(self, interval):
        self.process = subprocess.Popen([sys.executable, "-B", "-m", "soak.pulse", str(interval)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, cwd=HERE.parent,
                                        env={**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE.parent / 'system'}"})
        self.app_port = int(self.process.stdout.readline())

    def begin(self, port):
        self.process.stdin.write(f"{port}\n")
        self.process.stdin.flush()

    def interval(self):
        """The next interval's figures; the last ones have `code`. None when it has died: an echo was wrong or did not come."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def end(self):
        """It says goodbye; `interval` gives its last words."""
        self.process.stdin.close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


async def samples(world, pulse, into):
    """One with each of the bystander's intervals, until it is told to end; returns its last words, if it has any."""
    began = time.monotonic()
    while (figures := await asyncio.to_thread(pulse.interval)) and "code" not in figures:
        seen = await asyncio.to_thread(lambda: {**process_figures(world.proxy.pid),
                                                "connections": world.proxy.metrics().sum("wsproxy_connections_active")})
        if world.is_over:  # they leave
            continue
        into.append({"at": time.monotonic() - began, "added_p99_ms": max(0.0, figures["p99_ms"] - figures["direct_p99_ms"]), **figures, **seen})
    return figures
