"""Grafana's dashboard of the chart: it is in order, and a real Prometheus that scrapes a used proxy answers each of its queries."""

import collections
import itertools
import json
import math
import os
import signal
import unittest

from harness import DEADLINE, NamedApp, free_port, main, wait_until
from harness import dashboard as reading
from harness.http_wire import HttpClient
from harness.prometheus import Prometheus
from harness.tls import TlsTest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
FILE = os.path.join(ROOT, "helm", "wsproxy", "dashboards", "wsproxy.json")
# What "All" comes to, and one of each as Prometheus has it in a cluster.
ALL = {"namespace": ".*", "job": "wsproxy", "instance": ".*"}
PLACE = {"namespace": "chat", "pod": "chat-0"}
# Labels and metrics that Prometheus adds.
SURROUNDINGS = {"namespace", "pod", "job", "instance", "le", "alertname", "alertstate"}
OF_PROMETHEUS = {"up", "ALERTS"}

with open(FILE) as file:
    DASHBOARD = json.load(file)
PANELS = list(reading.panels(DASHBOARD))


def overlap(one, other):
    return (one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
            and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"])


def unit(panel):
    return panel["options"]["yAxis"]["unit"] if panel["type"] == "heatmap" else panel["fieldConfig"]["defaults"].get("unit")


def data_sources(part):
    """Each `datasource` anywhere in it."""
    if isinstance(part, dict):
        if isinstance(part.get("datasource"), dict):
            yield part["datasource"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from data_sources(inner)


class File(unittest.TestCase):
    def test_it_can_be_imported_and_found_again(self):
        self.assertEqual((DASHBOARD["uid"], DASHBOARD["id"]), ("wsproxy", None))
        self.assertGreaterEqual(DASHBOARD["schemaVersion"], 39)
        self.assertIn("wsproxy", DASHBOARD["tags"])
        self.assertNotIn("__inputs", DASHBOARD, "who mounts it is asked for nothing")

    def test_ids_are_unique(self):
        rows = [panel for panel in DASHBOARD["panels"] if panel["type"] == "row"]
        ids = collections.Counter(panel["id"] for panel in [*rows, *PANELS])
        self.assertEqual([each for each, count in ids.items() if count > 1], [])

    def test_titles_are_unique_within_their_row(self):
        titles = collections.Counter()
        row = None
        for panel in DASHBOARD["panels"]:
            row = panel["title"] if panel["type"] == "row" else row
            titles.update((row, one["title"]) for one in (panel["panels"] if panel["type"] == "row" else [panel]))
        self.assertEqual([each for each, count in titles.items() if count > 1], [])

    def test_nothing_overlaps_or_sticks_out(self):
        placed = [panel for panel in DASHBOARD["panels"] if panel["type"] == "row"] + PANELS
        for panel in placed:
            at = panel["gridPos"]
            self.assertTrue(0 <= at["x"] and 0 < at["w"] and 0 < at["h"] and at["x"] + at["w"] <= 24, panel["title"])
        for one, other in itertools.combinations(placed, 2):
            self.assertFalse(overlap(one["gridPos"], other["gridPos"]), f"{one['title']} and {other['title']}")

    def test_a_row_that_is_folded_up_has_its_panels_in_it_and_another_has_none(self):
        for row in (panel for panel in DASHBOARD["panels"] if panel["type"] == "row"):
            self.assertEqual(row["collapsed"], bool(row["panels"]), row["title"])

    def test_each_panel_says_what_it_is_and_in_what_unit(self):
        for panel in PANELS:
            with self.subTest(panel["title"]):
                self.assertRegex(panel["description"], r"^.{20,}\.$")
                self.assertTrue(unit(panel))
                self.assertTrue(panel["targets"])

    def test_each_query_has_a_legend_of_its_own(self):
        for panel in PANELS:
            if panel["type"] != "table":
                legends = [target["legendFormat"] for target in panel["targets"]]
                with self.subTest(panel["title"]):
                    self.assertEqual(len(set(legends)), len(legends))
                    self.assertNotIn("__auto", legends)

    def test_the_data_source_is_the_one_that_the_user_has_chosen(self):
        self.assertEqual(DASHBOARD["templating"]["list"][0]["type"], "datasource")
        found = {source["uid"] for source in data_sources(DASHBOARD)}
        self.assertEqual(found, {"${datasource}", "-- Grafana --"})
        self.assertTrue(all("datasource" in target for panel in PANELS for target in panel["targets"]))

    def test_the_variables_can_be_all_and_several(self):
        variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
        self.assertEqual(list(variables), ["datasource", "namespace", "job", "instance"])
        for name in ("namespace", "job", "instance"):
            self.assertTrue(variables[name]["multi"] and variables[name]["includeAll"], name)
        # Without Kubernetes there is no label namespace: what finds everything must find that as well.
        self.assertEqual(variables["namespace"]["allValue"], ".*")
        # Of every job, up would be everything that is scraped.
        self.assertNotIn("allValue", variables["job"])


class Queries(TlsTest):
    """What they ask for, held against what a proxy with TLS exports."""

    def test_each_selector_goes_by_the_variables(self):
        there = {name: f"<{name}>" for name in ALL}
        for query in reading.queries(DASHBOARD, there):
            found = list(reading.selectors(query.expression))
            self.assertTrue(found, query.where)
            for metric, labels in found:
                with self.subTest(query.where, metric=metric):
                    self.assertEqual({name: labels.get(name) for name in there}, there)

    def test_each_metric_label_and_value_is_exported(self):
        self.start_tls()
        exported = collections.defaultdict(set)
        values = set()
        for name, labels, _ in self.proxy.metrics().samples:
            exported[name] |= labels.keys()
            values |= {(name, label, value) for label, value in labels.items()}
        for query in reading.queries(DASHBOARD, ALL):
            known = set(SURROUNDINGS)
            for metric, labels in reading.selectors(query.expression):
                with self.subTest(query.where, metric=metric):
                    self.assertIn(metric, exported.keys() | OF_PROMETHEUS)
                    self.assertEqual(labels.keys() - SURROUNDINGS - exported[metric], set())
                    for label in labels.keys() - SURROUNDINGS:
                        for value in labels[label].split("|"):
                            self.assertIn((metric, label, value), values)
                    known |= exported[metric]
            with self.subTest(query.where):
                self.assertEqual(reading.grouping_labels(query.expression) - known, set())
                self.assertEqual(reading.legend_labels(query) - known, set())

    def test_each_metric_is_shown_but_those_of_observing(self):
        self.start_tls()
        shown = {metric for query in reading.queries(DASHBOARD, ALL) for metric, _ in reading.selectors(query.expression)}
        families = {name.removesuffix("_bucket") for name in shown}
        exported = {line.split()[2] for line in self.proxy.metrics().text.splitlines() if line.startswith("# TYPE wsproxy_")}
        self.assertEqual({name for name in exported - families if "observ" not in name}, set())


class Answers(TlsTest):
    def use(self):
        """A listener with TLS and one without, and something to see on each panel."""
        self.plain = free_port()
        listener = {"name": "plain", "address": f"127.0.0.1:{self.plain}"}
        tls = {"name": "public", "address": f"127.0.0.1:{free_port()}", "tls": self.certificate.tls}
        self.start(NamedApp("app"), listeners=[tls, listener])
        self.proxy.port = int(tls["address"].rpartition(":")[2])

    def plain_client(self, path="/", **how):
        port, self.proxy.port = self.proxy.port, self.plain
        try:
            return self.echo_client(path, **how)
        finally:
            self.proxy.port = port

    def traffic(self):
        for client in (self.plain_client(extensions="permessage-deflate"), self.plain_client(), self.tls_client().open()):
            for text in ("the same words again and again, " * 20, "small"):
                client.send(text)
                client.read_message()
        client.finish(1000)  # of a connection that has ended
        self.plain_client().send("/vanish")  # an error of the app
        page = self.closing(HttpClient(("127.0.0.1", self.plain)))
        self.assertEqual(page.ask("/page").read_answer("GET").status, 200)
        not_tls = self.closing(HttpClient(("127.0.0.1", self.proxy.port)))
        self.assertEqual(not_tls.ask("/").read_answer("GET").status, 400)

    def silent(self, variables):
        """The queries that have no answer, or one that is no number."""
        found = []
        for query in reading.queries(DASHBOARD, variables):
            results = self.prometheus.ask("query", query=query.expression)["result"]
            if not any(math.isfinite(float(result["value"][1])) for result in results):
                found.append(f"{query.where}: {query.expression}")
            self.assertTrue(all(reading.legend_labels(query) <= result["metric"].keys() for result in results), query)
        return found

    def wait_answers(self, variables):
        try:
            wait_until(lambda: not self.silent(variables), "all queries to be answered", deadline=3 * DEADLINE)
        except AssertionError as late:
            raise AssertionError("\n".join(["without an answer:", *self.silent(variables)])) from late

    def offered(self, variables):
        """What the lists of the variables have, where all are as given."""
        found = {}
        for label in reading.labels(DASHBOARD, variables):
            found[label.variable] = self.prometheus.ask(f"label/{label.label}/values", **{"match[]": label.selector})
        return found

    def test_a_used_proxy_answers_each_of_them(self):
        self.use()
        self.prometheus = Prometheus(self.proxy.admin_port, **PLACE)
        self.addCleanup(self.prometheus.stop)
        # A rate is of what has grown since it was seen first.
        self.prometheus.wait_value('wsproxy_config_reloads_total{result="success"}', 0)
        self.traffic()
        self.proxy.signal(signal.SIGHUP)
        self.proxy.wait_metric("wsproxy_config_reloads_total", 1, result="success")
        self.wait_answers(ALL)
        one = {"namespace": "chat", "job": "wsproxy", "instance": f"127.0.0.1:{self.proxy.admin_port}"}
        self.assertEqual(self.offered(ALL), {name: [value] for name, value in one.items()})
        self.wait_answers(one)
        elsewhere = list(reading.queries(DASHBOARD, {**one, "instance": "127.0.0.1:1"}))
        shown = [query.where for query in elsewhere if self.prometheus.ask("query", query=query.expression)["result"]]
        self.assertEqual(shown, ["Alerts firing A"], "of another instance there is nothing, and so no alert")


if __name__ == "__main__":
    main()
