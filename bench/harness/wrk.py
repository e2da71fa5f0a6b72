"""Plain HTTP: keep-alive requests by wrk, which is Debian's."""

import json
import resource
import subprocess
import urllib.request

from .peers import BENCH
from .process import Failed, Process, require

BODY = b"x" * 1024  # what the app answers
WARMUP_SECONDS = 1


def run(load, setting, directory, process, port):
    """The metrics of one run against what listens on the port."""
    require("wrk")
    _check_answer(port)
    options = dict(zip(load.arguments[::2], load.arguments[1::2]))
    seconds = max(1, round(int(options["--seconds"]) * setting.scale))
    _wrk(setting, directory, port, options["--connections"], WARMUP_SECONDS)
    with setting.watch(process):
        cpu_before, own_before = process.cpu_seconds(), _children_seconds()
        result = _wrk(setting, directory, port, options["--connections"], seconds)
        cpu = process.cpu_seconds() - cpu_before
    if result["failed"]:
        raise Failed(f"{result['failed']} of {result['messages']} requests failed")
    return {
        **{name: result[name] for name in ("messages", "seconds", "p50_us", "p90_us", "p99_us")},
        "cpu": cpu,
        "generator_cpu": _children_seconds() - own_before,
    }


def _wrk(setting, directory, port, connections, seconds):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(BENCH / "wrk.lua"), f"http://127.0.0.1:{port}/"]
    wrk = Process(command, f"{directory}/wrk.log", setting.other_cpus(), stdout=subprocess.PIPE)
    with wrk:
        text = wrk.popen.communicate()[0]
    if wrk.popen.returncode != 0:
        raise Failed(f"wrk gave up: {text}{wrk.log()}")
    return json.loads(text.splitlines()[-1])


def _check_answer(port):
    """wrk looks at the status alone."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        if answer.read() != BODY:
            raise Failed("the answer is not the app's")


def _children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
