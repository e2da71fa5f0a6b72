"""Starts the real binary and watches it: log lines, metrics, memory, exit code."""

import copy
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from .app import wait_until
from .client import Client
from .http_wire import HttpClient
from .metrics import Metrics
from .ports import free_port
from .wire import DEADLINE

WSPROXY = os.environ.get("WSPROXY_BIN", "wsproxy")
# What compresses where a test does not say: auto, zlib or isal, so that a suite can be run with each.
ENGINE = os.environ.get("WSPROXY_TEST_ENGINE")
SANITIZED = bool(os.environ.get("WSPROXY_SANITIZE"))  # memory and time are not the product's then


def environment(**extra):
    """Ours without any WS_PROXY_ variable of the machine."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith("WS_PROXY_")}, **extra}


def run_command(*args, stdin=None, timeout=DEADLINE, **env):
    return subprocess.run([WSPROXY, *args], input=stdin, capture_output=True, text=True, timeout=timeout,
                          env=environment(**env))


def merged(base, changes):
    result = copy.deepcopy(base)
    for key, value in changes.items():
        result[key] = merged(result[key], value) if isinstance(value, dict) and isinstance(result.get(key), dict) else value
    return result


class Process:
    """A running wsproxy whose stdout and stderr are kept line by line; `before` is a command that runs its arguments."""

    def __init__(self, *args, before=(), stderr=subprocess.STDOUT, **env):
        self.exit_code_matters = True  # a process that ended by itself with another code than 0 fails the test
        self._lines, self._more = [], threading.Condition()
        self._process = subprocess.Popen([*before, WSPROXY, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=stderr, env=environment(**env))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            with self._more:
                self._lines.append(line.decode(errors="replace").rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self._more.notify_all()

    @property
    def pid(self):
        return self._process.pid

    @property
    def lines(self):
        with self._more:
            return list(self._lines)

    def wait_for_line(self, pattern, deadline=DEADLINE, after=0):
        """The match of the first line, from line `after` on, in which the pattern is found."""
        end = time.monotonic() + deadline
        with self._more:
            while True:
                for line in self._lines[after:]:
                    if match := re.search(pattern, line):
                        return match
                left = end - time.monotonic()
                assert left > 0, f"no log line with {pattern!r}"
                self._more.wait(left)

    def signal(self, number):
        self._process.send_signal(number)

    def running(self):
        return self._process.poll() is None

    def wait_exit(self, deadline=DEADLINE):
        code = self._process.wait(deadline)
        self._reader.join(DEADLINE)
        return code

    def stop(self):
        """For the end of a test that is not about stopping. A crash during the test is reported here."""
        crashed = self._process.poll()
        if crashed is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(DEADLINE)
        self._process.stdout.close()
        assert crashed in (None, 0) or not self.exit_code_matters, f"the proxy had ended with exit code {crashed}"

    def memory(self, field="VmRSS"):
        """Bytes now; VmHWM is the most there ever was."""
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))

    def own_memory(self):
        """Bytes now that no other process has and no file has either."""
        with open(f"/proc/{self.pid}/smaps_rollup") as kinds:
            return next(int(line.split()[1]) * 1024 for line in kinds if line.startswith("Pss_Anon"))


class Proxy(Process):
    """`wsproxy run` on a config file: defaults fit for tests, changed by `settings` (section 7 as nested dicts)."""

    def __init__(self, app_url, settings=None, *, args=(), wait="ready", env=None, before=(), stderr=subprocess.STDOUT):
        self.port, self.admin_port = free_port(), free_port()
        base = {
            "listeners": [{"name": "public", "address": f"127.0.0.1:{self.port}"}],
            "upstream": {"url": app_url},
            "admin": {"address": f"127.0.0.1:{self.admin_port}"},
            "drain": {"spread": "0s"},
            "log": {"format": "json"},
        }
        if ENGINE:
            base["compression"] = {"engine": ENGINE}
        self._folder = tempfile.TemporaryDirectory(prefix="wsproxy-")
        # Else every proxy would tell what another test's left in the default one.
        base["sentry"] = {"crash_directory": os.path.join(self._folder.name, "crashes")}
        self.settings = merged(base, settings or {})
        self.settings["admin"]["address"] = self.settings["admin"]["address"].replace(":*", f":{self.admin_port}")
        self.config_file = os.path.join(self._folder.name, "wsproxy.yaml")
        with open(self.config_file, "w") as file:
            json.dump(self.settings, file, indent=1)  # JSON is YAML
        super().__init__("run", "--config", self.config_file, *args, before=before, stderr=stderr, **(env or {}))
        try:
            self.wait_started("/readyz" if wait == "ready" else "/livez")
        except BaseException:
            self._process.kill()
            raise

    def wait_started(self, path):
        def up():
            assert self.running(), "the proxy ended while starting:\n" + "\n".join(self.lines)
            try:
                return self.get(path)[0] == 200 and self._listens()
            except OSError:
                return False
        wait_until(up, f"{path} to say 200")

    def _listens(self):
        """Looks for the listener without connecting to it, so that no metric counts it."""
        address = self.settings["listeners"][0]["address"]
        if address.startswith("unix:"):
            return os.path.exists(address.removeprefix("unix:"))
        port = int(address.rpartition(":")[2])
        tables = [f"/proc/net/{table}" for table in ("tcp", "tcp6") if os.path.exists(f"/proc/net/{table}")]
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
                   for table in tables for line in open(table).readlines()[1:])

    def stop(self):
        try:
            super().stop()
        finally:
            self._folder.cleanup()

    def client(self, **how):
        return Client(("127.0.0.1", self.port), **how)

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}"

    def get(self, path):
        """(status, body) from the side port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=DEADLINE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except http.client.HTTPException as odd:
            raise OSError(str(odd)) from odd
        finally:
            connection.close()

    def side(self, host="127.0.0.1", **how):
        """A connection to the side port."""
        return HttpClient((host, self.admin_port), **how)

    def ask(self, target, method="GET", *, deadline=DEADLINE, host="127.0.0.1", source=None, **how):
        """The side port's answer to one request of any kind."""
        side = self.side(host, source=source)
        try:
            return side.ask(target, method, **how).read_answer(method, deadline)
        finally:
            side.close()

    def metrics(self):
        status, text = self.get("/metrics")
        assert status == 200, text
        return Metrics(text)

    def wait_metric(self, name, at_least, **labels):
        return wait_until(lambda: self.metrics().sum(name, **labels) >= at_least, f"{name}{labels} >= {at_least}")

    def access_line(self, path, deadline=DEADLINE):
        """The access line of the connection to that path, as a dict; wants log.format json."""
        needle = json.dumps(path)
        end = time.monotonic() + deadline
        while True:
            for line in self.lines:
                if needle in line and (entry := flat(json.loads(line))).get("path") == path and is_access(entry):
                    return entry
            left = end - time.monotonic()
            assert left > 0, f"no access line for {path}"
            with self._more:
                self._more.wait(min(left, 0.05))

    def terminate(self):
        self.signal(signal.SIGTERM)

    def drain(self):
        """Ends by it, and has begun to close what is open when this returns."""
        self.terminate()
        wait_until(lambda: refuses_connections(self.port), "the listener to be closed")


def flat(entry):
    """A JSON object with nested ones as `outer.inner`, so that a field is found by its own name first."""
    result = {}
    for key, value in entry.items():
        if isinstance(value, dict):
            result |= {f"{key}.{inner}": inside for inner, inside in flat(value).items()}
        else:
            result[key] = value
    return result


def is_access(entry):
    return "duration" in " ".join(entry)


def refuses_connections(port):
    try:
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
        return False
    except ConnectionResetError:
        return False  # it closes at this moment
    except ConnectionRefusedError:
        return True
