"""Processes that the benchmark starts: how to pin, stop and look at them."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path


class Failed(Exception):
    """The benchmark cannot go on; the text says why."""


class Process:
    """A process with its children; ends with the `with` block."""

    def __init__(self, command, log_path, cpus=None, **streams):
        self.name = Path(command[0]).name
        self.log_path = log_path
        pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        with open(log_path, "wb") as log:
            streams.setdefault("stdout", log)
            self.popen = subprocess.Popen(
                command, stderr=log, text=True, preexec_fn=pin, start_new_session=True, **streams
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stop in (signal.SIGTERM, signal.SIGKILL):
            if self.popen.poll() is None:
                os.killpg(self.popen.pid, stop)
                try:
                    self.popen.wait(10)
                except subprocess.TimeoutExpired:
                    pass

    def log(self):
        return Path(self.log_path).read_text(errors="replace")[-2000:]

    def await_port(self, port):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.popen.poll() is not None:
                raise Failed(f"{self.name} ended with {self.popen.returncode}: {self.log()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise Failed(f"{self.name} does not listen on {port}: {self.log()}")

    def cpu_seconds(self):
        """Of all threads of the process and its children, from the scheduler's own clock."""
        return sum(_cpu_ns(task) for task in self._tasks()) / 1e9

    def memory_kb(self):
        """Resident, shared pages counted in part; not the files that are mapped, such as code: what is resident of
        those, and how many share it, hangs on the other processes of the machine."""
        return sum(_anonymous_kb(pid) for pid in self.family())

    def family(self):
        """The process and its children."""
        return _family(self.popen.pid)

    def _tasks(self):
        for pid in self.family():
            yield from Path(f"/proc/{pid}/task").iterdir()


def require(program):
    if shutil.which(program) is None:
        raise Failed(f"{program} is not here; see docs/benchmarks.md for what has to be installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _family(pid):
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _cpu_ns(task):
    """schedstat counts nanoseconds; kernels without it have utime and stime in ticks."""
    try:
        return int((task / "schedstat").read_text().split()[0])
    except FileNotFoundError:
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 10**9 // os.sysconf("SC_CLK_TCK")


def _anonymous_kb(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = [int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:"))]
    if not found:
        raise Failed(f"no Pss_Anon of process {pid}: the kernel is older than 5.4")
    return sum(found)
