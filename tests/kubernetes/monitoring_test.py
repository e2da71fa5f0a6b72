"""A real Prometheus with the chart's own rules scrapes a pod of the chart; each query of the dashboard has an answer."""

import asyncio
import os
import tempfile
import unittest

import websockets
import yaml
from kubelet import run, wait_until
from pod_case import ROOT, PodTest, of_kind, rendered

from harness import dashboard
from harness.prometheus import Prometheus

ON = {"podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "grafanaDashboard": {"enabled": True}}


class Monitoring(PodTest):
    def prometheus(self, pod, objects):
        """Scrapes the port and path that the PodMonitor names, with the rules of the PrometheusRule."""
        [monitor] = of_kind(objects, "PodMonitor")
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        ports = {port["name"]: port["containerPort"] for port in pod.container("wsproxy")["ports"]}
        self.assertEqual(endpoint["path"], "/metrics")
        [rules] = of_kind(objects, "PrometheusRule")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "rules.yaml")
        with open(path, "w") as file:
            yaml.safe_dump(rules["spec"], file)
        run("promtool", "check", "rules", path)
        prometheus = Prometheus(f"{pod.address}:{ports[endpoint['port']]}", [path])
        self.addCleanup(prometheus.stop)
        return prometheus

    def alerts(self, prometheus):
        return {(alert["labels"]["alertname"], alert["state"]) for alert in prometheus.ask("alerts")["alerts"]}

    async def talk(self, pod, over):
        async with websockets.connect(f"ws://{pod.address}:8009/") as client:
            while not over.is_set():
                await client.send("the same words again and again, " * 20)
                await client.recv()
                await asyncio.sleep(0.05)

    async def test_the_pod_is_scraped_the_rules_load_and_the_dashboard_shows_it(self):
        objects = rendered(**ON)
        pod = self.start(objects)
        prometheus = await asyncio.to_thread(self.prometheus, pod, objects)
        over = asyncio.Event()
        talks = [asyncio.create_task(self.talk(pod, over)) for _ in range(5)]
        await asyncio.to_thread(prometheus.wait_value, "sum(wsproxy_connections_active)", 5)
        with open(os.path.join(ROOT, "helm", "wsproxy", "rules", "wsproxy.rules.yaml")) as file:
            known = [rule["alert"] for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]
        loaded = [rule["name"] for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        self.assertEqual(loaded, known)
        [config] = [found for found in of_kind(objects, "ConfigMap") if "wsproxy.json" in found["data"]]
        await self.all_answer(prometheus, config["data"]["wsproxy.json"])
        self.assertEqual(self.alerts(prometheus), set())
        over.set()
        await asyncio.gather(*talks)
        await asyncio.to_thread(run, "podman", "kill", pod.name_of(pod.container("wsproxy")))
        await asyncio.to_thread(wait_until, lambda: ("WsproxyDown", "pending") in self.alerts(prometheus), "the alert that it is down")
        self.assertEqual([line for line in prometheus.complaints() if "scrape failed" not in line], [])


if __name__ == "__main__":
    unittest.main()
