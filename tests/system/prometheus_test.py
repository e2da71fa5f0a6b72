"""A real Prometheus scrapes the proxy: what it stores is what was sent, by OpenMetrics, and it has nothing to complain of."""

import math
import os
import signal

from harness import EchoApp, SystemTest, main, wait_until
from harness.metrics import OPEN_METRICS, TEXT, ask_for_metrics
from harness.prometheus import Prometheus
from harness.tls import TlsTest

RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "helm", "wsproxy", "rules", "wsproxy.rules.yaml")


class RealPrometheus(TlsTest):
    def scraped(self, rules=()):
        self.prometheus = Prometheus(self.proxy.admin_port, rules)
        self.addCleanup(self.prometheus.stop)
        self.prometheus.wait_value("up", 1)
        return self.prometheus

    def test_it_stores_what_was_sent_while_connections_are_open(self):
        self.start(EchoApp())
        prometheus = self.scraped()
        client = self.echo_client(extensions="permessage-deflate")
        for at in range(17):
            client.send(f"message {at} of those that Prometheus will have counted")
            client.read_message()
        client.send(b"binary")
        client.read_message()
        prometheus.wait_value('sum(wsproxy_messages_total{direction="to_app",type="text"})', 17)
        prometheus.wait_value('sum(wsproxy_messages_total{direction="to_app",type="binary"})', 1)
        prometheus.wait_value('wsproxy_connections_active{listener="public"}', 1)
        prometheus.wait_value('wsproxy_relay_seconds_count{direction="to_client"}', 18)
        prometheus.wait_value("count(wsproxy_build_info)", 1)
        self.assertGreater(prometheus.value("process_resident_memory_bytes"), 1e6)
        # It has every sample that we send, and its own of each scrape beside them.
        sent = len(self.proxy.metrics().samples)
        self.assertEqual(prometheus.value("scrape_samples_scraped"), sent)
        self.assertEqual(prometheus.value("scrape_samples_post_metric_relabeling"), sent)
        self.assertEqual(prometheus.value('count({__name__=~"wsproxy_.+|process_.+"})'), sent)
        self.assertEqual(prometheus.value("min_over_time(up[1m])"), 1)
        # Only OpenMetrics names a counter's family without its suffix, and has units.
        known = {one["metric"]: (one["type"], one["unit"]) for one in prometheus.ask("targets/metadata")}
        self.assertEqual(known["wsproxy_messages"], ("counter", ""))
        self.assertEqual(known["wsproxy_relay_seconds"], ("histogram", "seconds"))
        self.assertEqual(prometheus.target()["lastError"], "")
        self.assertEqual(prometheus.complaints(), [])

    def test_the_rules_are_evaluated_and_one_fires(self):
        self.start_tls()
        prometheus = self.scraped([RULES])
        # increase() must have seen it before it grows.
        prometheus.wait_value('wsproxy_config_reloads_total{result="failure"}', 0)
        with open(self.proxy.settings["listeners"][0]["tls"]["certificate"], "w") as file:
            file.write("no certificate")
        self.proxy.signal(signal.SIGHUP)
        firing = 'count(ALERTS{alertname="WsproxyConfigReloadFailed",alertstate="firing"})'
        prometheus.wait_value(firing, 1)
        rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        self.assertEqual({(rule["name"], rule["health"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"}, set())
        alerts = [alert for rule in rules for alert in rule["alerts"] if alert["state"] == "firing"]
        self.assertEqual([alert["labels"]["alertname"] for alert in alerts], ["WsproxyConfigReloadFailed"])
        self.assertIn(f"127.0.0.1:{self.proxy.admin_port}", alerts[0]["annotations"]["summary"])
        self.assertEqual(prometheus.complaints(), [])


class Formats(SystemTest):
    def test_who_asks_for_openmetrics_gets_it_and_everyone_else_text(self):
        self.start()
        for accept, expected in ((None, TEXT), ("*/*", TEXT), ("text/plain", TEXT), ("application/json", TEXT),
                                 ("application/openmetrics-text; version=1.0.0, text/plain;q=0.5", OPEN_METRICS)):
            with self.subTest(accept):
                answer, text = ask_for_metrics(self.proxy.admin_port, accept)
                self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, expected))
                self.assertEqual(answer.getheader("Vary"), "Accept")
                self.assertEqual(text.endswith("\n# EOF\n"), expected == OPEN_METRICS)

    def test_a_strict_parser_reads_the_same_from_both(self):
        try:
            from prometheus_client import parser as text_parser
            from prometheus_client.openmetrics import parser
        except ImportError:
            self.fail("python3-prometheus-client is not installed: scripts/install-packages test")
        self.start(EchoApp())
        client = self.echo_client(extensions="permessage-deflate")
        client.send("some text that is long enough to be compressed, some text that is")
        client.read_message()

        def samples(families):
            changing = ("process_", "wsproxy_connection_duration")
            return {(sample.name, tuple(sorted((k, float(v) if k == "le" else v) for k, v in sample.labels.items()))): sample.value
                    for family in families for sample in family.samples if not sample.name.startswith(changing)}

        def both():
            strict = samples(parser.text_string_to_metric_families(ask_for_metrics(self.proxy.admin_port, OPEN_METRICS)[1]))
            loose = samples(text_parser.text_string_to_metric_families(ask_for_metrics(self.proxy.admin_port)[1]))
            return strict, loose

        strict, loose = both()
        self.assertGreater(len(strict), 100)
        self.assertEqual(strict.keys() ^ loose.keys(), set())

        def agree(strict, loose):
            # Text has 16 digits of a number.
            return all(math.isclose(value, loose[key], rel_tol=1e-14) for key, value in strict.items())
        wait_until(lambda: agree(*both()), "two scrapes with nothing between them")


if __name__ == "__main__":
    main()
