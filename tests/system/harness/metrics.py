"""Prometheus' text format, as far as a test needs it."""

import http.client
import re

from .wire import DEADLINE

LINE = re.compile(r"^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = LINE.match(line)
                assert match, f"not a sample: {line!r}"
                self.samples.append((match["name"], dict(LABEL.findall(match["labels"] or "")), float(match["value"])))

    def names(self):
        return {name for name, _, _ in self.samples}

    def sum(self, name, **labels):
        """All samples of that name with at least these labels; a name that is not there is an error."""
        found = [value for sample, has, value in self.samples
                 if sample == name and all(has.get(key) == value for key, value in labels.items())]
        assert found or name in self.names(), f"no metric {name}"
        return sum(found)


TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def ask_for_metrics(admin_port, accept=None):
    """The answer and its body, for a scraper with that Accept header."""
    connection = http.client.HTTPConnection("127.0.0.1", admin_port, timeout=DEADLINE)
    try:
        connection.request("GET", "/metrics", headers={"Accept": accept} if accept else {})
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()
