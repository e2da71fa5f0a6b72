"""The alert rules of the chart: promtool lets each fire and not fire, and they ask for metrics that there are."""

import os
import re
import shutil
import subprocess
import unittest

from harness import main
from harness.tls import TlsTest

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, "..", "..", "helm", "wsproxy", "rules", "wsproxy.rules.yaml")
CASES = os.path.join(HERE, "alerts", "wsproxy.rules.test.yaml")


def read(path):
    with open(path) as file:
        return file.read()


def promtool(*arguments):
    assert shutil.which("promtool"), "promtool is not installed: scripts/install-packages test"
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True)


class Rules(unittest.TestCase):
    def test_promtool_finds_nothing_wrong(self):
        result = promtool("check", "rules", RULES)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_each_fires_and_does_not_as_the_cases_say(self):
        result = promtool("test", "rules", CASES)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_there_are_cases_for_each_one(self):
        rules, cases = read(RULES).split("- alert: ")[1:], read(CASES)
        self.assertGreater(len(rules), 0)
        for rule in rules:
            name = rule.split()[0]
            with self.subTest(name):
                self.assertIn(f'alertname="{name}", alertstate="firing"', cases)
                self.assertEqual("for:" in rule, f'alertname="{name}", alertstate="pending"' in cases)

    def test_each_says_what_is_wrong_and_what_to_do(self):
        for rule in read(RULES).split("- alert: ")[1:]:
            with self.subTest(rule.split()[0]):
                for wanted in (r"severity: (warning|critical)", r"summary: '.*\$labels\.instance", r"description: >-\n\s+\S"):
                    self.assertRegex(rule, wanted)

    def test_the_documentation_has_each_one(self):
        documented = read(os.path.join(HERE, "..", "..", "docs", "metrics.md"))
        for name in re.findall(r"- alert: (\w+)", read(RULES)):
            self.assertIn(f"`{name}`", documented)


class Names(TlsTest):
    def test_every_metric_and_label_value_they_ask_for_is_exported(self):
        self.start_tls()
        there = self.proxy.metrics()
        expressions = re.findall(r"expr: (.*)", read(RULES))
        asked = {name for expression in expressions for name in re.findall(r"wsproxy_\w+", expression)}
        self.assertGreater(len(asked), 10)
        self.assertEqual(asked - there.names(), set())
        values = {(label, value) for _, labels, _ in there.samples for label, value in labels.items()}
        for label, value in re.findall(r'(\w+)!?="(\w+)"', " ".join(expressions)):
            self.assertIn((label, value), values)


if __name__ == "__main__":
    main()
