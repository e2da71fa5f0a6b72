"""A real Prometheus that scrapes one target each second."""

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse

from .app import wait_until
from .ports import free_port
from .wire import DEADLINE

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: {rules}
scrape_configs:
  - job_name: wsproxy
    static_configs: [{{targets: ["{target}"], labels: {labels}}}]
"""


class Prometheus:
    def __init__(self, target, rules=(), **labels):
        """`target` is a port of this machine, or host:port; `labels` are those that its series get, as from Kubernetes."""
        target = f"127.0.0.1:{target}" if isinstance(target, int) else target
        program = shutil.which("prometheus")
        assert program, "prometheus is not installed: scripts/install-packages test"
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="wsproxy-prometheus-")
        config = os.path.join(self._folder.name, "prometheus.yml")
        with open(config, "w") as file:
            file.write(CONFIG.format(target=target, labels=json.dumps(labels), rules=json.dumps([os.path.abspath(rule) for rule in rules])))
        self._log = open(os.path.join(self._folder.name, "log"), "w+")
        self._process = subprocess.Popen([program, "--config.file", config, "--storage.tsdb.path", os.path.join(self._folder.name, "data"),
                                          "--web.listen-address", f"127.0.0.1:{self.port}", "--log.level", "debug"],
                                         stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        wait_until(self._is_ready, "Prometheus to be ready", deadline=3 * DEADLINE)

    def _is_ready(self):
        assert self._process.poll() is None, f"Prometheus ended while starting:\n{self.log()}"
        try:
            return self._get("/-/ready")[0] == 200
        except OSError:
            return False

    def _get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ask(self, what, **parameters):
        """`data` of the answer of its HTTP API."""
        status, text = self._get(f"/api/v1/{what}?" + urllib.parse.urlencode(parameters))
        assert status == 200, text
        return json.loads(text)["data"]

    def value(self, query):
        """Of the only sample that the query gives, or None."""
        found = self.ask("query", query=query)["result"]
        assert len(found) < 2, f"{query} has {len(found)} samples"
        return float(found[0]["value"][1]) if found else None

    def wait_value(self, query, value):
        wait_until(lambda: self.value(query) == value, f"{query} == {value}", deadline=3 * DEADLINE)

    def target(self):
        return self.ask("targets")["activeTargets"][0]

    def log(self):
        with open(self._log.name) as file:
            return file.read()

    def complaints(self):
        """What it has logged of scraping and rules: lines at warn or error, and failed scrapes, which are at debug."""
        return [line for line in self.log().splitlines()
                if re.search(r"level=(warn|error)|scrape failed|[Dd]uplicate|[Oo]ut.of.order|Append failed", line)]

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()
