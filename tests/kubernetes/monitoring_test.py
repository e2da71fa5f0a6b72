"""A real Prometheus with the chart's own rules scrapes a pod of the chart; each query of the dashboard has an answer."""

import asyncio
import contextlib
import json
import os
import ssl
import tempfile
import time
import unittest

import websockets
import yaml
from kubelet import run, wait_until
from pod_case import ROOT, PodTest, of_kind, rendered

from harness import dashboard
from harness.authority import Authority
from harness.prometheus import Prometheus

ON = {"podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "grafanaDashboard": {"enabled": True}}
# So that there is something to show on each panel: a listener with TLS and one without, and a route that leads nowhere.
CONFIG = {
    "listeners": [{"name": "public", "address": "0.0.0.0:8009"}, {"name": "plain", "address": "0.0.0.0:8010"}],
    "routes": [{"match": {"path": "/dead"}, "upstream": {"url": "ws://127.0.0.1:1", "connect_timeout": "100ms"}}],
}


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
        async with websockets.connect(f"ws://{pod.address}:8010/") as client:
            while not over.is_set():
                for message in ("the same words again and again, " * 20, "small"):
                    await client.send(message)
                    await client.recv()
                await asyncio.sleep(0.05)

    async def trouble(self, pod, context, over):
        """Clients that come and go, over TLS too, and what may go wrong with them."""
        while not over.is_set():
            for url, how in ((f"ws://{pod.address}:8010/", {}), (f"wss://{pod.address}:8009/", {"ssl": context}),
                             (f"ws://{pod.address}:8010/dead", {}), (f"ws://{pod.address}:8009/not-tls", {})):
                with contextlib.suppress(websockets.InvalidStatusCode, websockets.InvalidMessage, ConnectionError):
                    async with websockets.connect(url, **how) as client:
                        await client.send("hello")
                        await client.recv()
            await asyncio.to_thread(pod.ask, 8010, "/page")
            await asyncio.sleep(0.1)

    def expressions(self, text):
        """Of the dashboard, with a namespace, job and instance that any series has, and a rate over some scrapes."""
        variables = {"namespace": ".*", "job": ".*", "instance": ".*"}
        return dashboard.expressions(json.loads(text), variables, rate_interval="10s")

    async def all_answer(self, prometheus, text):
        wanted = self.expressions(text)
        self.assertGreater(len(wanted), 20)
        end = time.monotonic() + 60
        while True:
            silent = [query for query in wanted if not await asyncio.to_thread(lambda: prometheus.ask("query", query=query)["result"])]
            if not silent:
                return
            self.assertLess(time.monotonic(), end, "without an answer:\n" + "\n".join(silent))
            await asyncio.sleep(1)

    async def test_the_pod_is_scraped_the_rules_load_and_the_dashboard_shows_it(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        authority = Authority(folder.name)
        objects = rendered(**ON, config=CONFIG, tls={"enabled": True, "existingSecret": "cert"})
        pod = self.pod(objects, files=[("cert", {"tls.crt": "", "tls.key": ""})])
        pod.volumes["wsproxy-tls"].write(authority.issue("pod", ips=[pod.address]).texts())
        pod.start()
        context = ssl.create_default_context(cafile=authority.crt)
        prometheus = await asyncio.to_thread(self.prometheus, pod, objects)
        over = asyncio.Event()
        talks = [asyncio.create_task(self.talk(pod, over)) for _ in range(5)]
        await asyncio.to_thread(prometheus.wait_value, 'sum(wsproxy_connections_active{listener="plain"})', 5)
        talks.append(asyncio.create_task(self.trouble(pod, context, over)))
        self.swap(pod, rendered(**ON, config={**CONFIG, "compression": {"level": 5}}, tls={"enabled": True, "existingSecret": "cert"}))
        with open(os.path.join(ROOT, "helm", "wsproxy", "rules", "wsproxy.rules.yaml")) as file:
            known = [rule["alert"] for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]
        loaded = [rule["name"] for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        self.assertEqual(loaded, known)
        [config] = [found for found in of_kind(objects, "ConfigMap") if "wsproxy.json" in found["data"]]
        await self.all_answer(prometheus, config["data"]["wsproxy.json"])
        over.set()
        await asyncio.gather(*talks)
        await asyncio.to_thread(run, "podman", "kill", pod.name_of(pod.container("wsproxy")))
        await asyncio.to_thread(wait_until, lambda: ("WsproxyDown", "pending") in self.alerts(prometheus), "the alert that it is down")
        self.assertEqual([line for line in prometheus.complaints() if "scrape failed" not in line], [])


if __name__ == "__main__":
    unittest.main()
