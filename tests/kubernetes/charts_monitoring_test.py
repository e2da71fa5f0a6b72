"""What watches and scales: monitors, rules, dashboard, autoscaler, disruption budget."""

import json
import re

import yaml
from charts_harness import NATIVE, ORDINARY, VERSIONS, ChartTest, number, read, refusal, render

RULES = yaml.safe_load(read("helm", "wsproxy", "rules", "wsproxy.rules.yaml"))
OPERATOR = {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}


class Monitors(ChartTest):
    def test_what_a_pod_monitor_selects(self):
        for values in ({}, {"nameOverride": "chat"}, {"config": {"admin": {"address": "[::]:9191"}}}):
            for version in (NATIVE, ORDINARY):
                with self.subTest(values, version=version):
                    rendered = render({**values, "podMonitor": {"enabled": True}}, version)
                    spec = rendered.one("PodMonitor")["spec"]
                    self.assertLessEqual(spec["selector"]["matchLabels"].items(), rendered.template["metadata"]["labels"].items())
                    [endpoint] = spec["podMetricsEndpoints"]
                    self.assertEqual(endpoint["path"], "/metrics")
                    self.assertEqual(rendered.ports()[endpoint["port"]], int(rendered.config["admin"]["address"].rsplit(":", 1)[1]))

    def test_what_a_service_monitor_selects(self):
        """One Service only: two would be scraped twice."""
        for values in ({}, {"nameOverride": "chat", "commonLabels": {"team": "x"}}, {"config": {"admin": {"address": "[::]:9191"}}}):
            with self.subTest(values):
                rendered = render({**values, "serviceMonitor": {"enabled": True}})
                spec = rendered.one("ServiceMonitor")["spec"]
                [service] = [
                    one for one in rendered.of("Service") if spec["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()
                ]
                [endpoint] = spec["endpoints"]
                ports = {port["name"]: port["targetPort"] for port in service["spec"]["ports"]}
                self.assertEqual(ports[endpoint["port"]], int(rendered.config["admin"]["address"].rsplit(":", 1)[1]))
                self.assertEqual(service["spec"]["clusterIP"], "None", "each pod is asked")
                self.assertIs(service["spec"]["publishNotReadyAddresses"], True, "a pod that is not ready is watched too")
                self.assertLessEqual(service["spec"]["selector"].items(), rendered.template["metadata"]["labels"].items())

    def test_their_settings(self):
        settings = {
            "enabled": True,
            "interval": "15s",
            "scrapeTimeout": "5s",
            "labels": {"release": "prometheus"},
            "relabelings": [{"action": "labeldrop", "regex": "pod"}],
            "metricRelabelings": [{"action": "drop", "regex": "go_.*"}],
        }
        rendered = render({"podMonitor": settings, "serviceMonitor": settings})
        for kind, list_of in (("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")):
            found = rendered.one(kind)
            self.assertEqual(found["metadata"]["labels"]["release"], "prometheus")
            for key in ("interval", "scrapeTimeout", "relabelings", "metricRelabelings"):
                self.assertEqual(found["spec"][list_of][0][key], settings[key], key)
        for kind, list_of in (("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")):
            self.assertEqual(set(render(OPERATOR).one(kind)["spec"][list_of][0]), {"port", "path"}, "the rest is Prometheus's own")

    def test_the_alert_for_a_proxy_that_is_down_is_for_their_jobs(self):
        """It goes by the job's name, which is that of a label of the pod or of the Service."""
        [job] = re.findall(r'job=~"([^"]+)"', [rule for rule in RULES["groups"][0]["rules"] if rule["alert"] == "WsproxyDown"][0]["expr"])
        for values in ({}, {"nameOverride": "chat"}, {"fullnameOverride": "chat"}, {"nameOverride": "chat", "fullnameOverride": "chat"}):
            with self.subTest(values):
                rendered = render({**values, **OPERATOR})
                for kind, list_of, labels in (
                    ("PodMonitor", "podMetricsEndpoints", rendered.template["metadata"]["labels"]),
                    ("ServiceMonitor", "endpoints", rendered.one("Service", "-metrics")["metadata"]["labels"]),
                ):
                    spec = rendered.one(kind)["spec"]
                    changed = [rule["replacement"] for rule in spec[list_of][0].get("relabelings", []) if rule.get("targetLabel") == "job"]
                    self.assertRegex((changed or [labels[spec["jobLabel"]]])[-1], f"^({job})$", kind)


class Rules(ChartTest):
    def alerts(self, values):
        return [
            rule
            for group in render({"prometheusRule": {"enabled": True, **values}}).one("PrometheusRule")["spec"]["groups"]
            for rule in group["rules"] or []
        ]

    def test_all_of_the_file_as_they_are(self):
        """Prometheus's own templates in their texts too, which helm must leave alone."""
        self.assertEqual(render({"prometheusRule": {"enabled": True}}).one("PrometheusRule")["spec"]["groups"], RULES["groups"])

    def test_what_the_file_must_have(self):
        alerts = " ".join(rule["alert"] + rule["expr"] for rule in self.alerts({}))
        for metric in (
            "up{",
            "wsproxy_config_reloads_total",
            "wsproxy_tls_certificate_expiry",
            "wsproxy_connections_limit",
            "wsproxy_upstream_errors_total",
            "wsproxy_compression_memory_limit_bytes",
            "wsproxy_relay_seconds",
        ):
            self.assertIn(metric, alerts)

    def test_without_those_that_are_disabled(self):
        names = [rule["alert"] for rule in RULES["groups"][0]["rules"]]
        self.assertEqual([rule["alert"] for rule in self.alerts({"disable": names[1:3]})], names[:1] + names[3:])
        extra = {"alert": "Mine", "expr": "up == 0"}
        self.assertEqual([rule["alert"] for rule in self.alerts({"extraRules": [extra]})], [*names, "Mine"])
        groups = render({"prometheusRule": {"enabled": True, "disable": names, "extraRules": [extra]}}).one("PrometheusRule")["spec"][
            "groups"
        ]
        self.assertEqual([group["rules"] for group in groups], [[extra]], "a group without rules is refused by the operator")
        self.assertRegex(
            refusal({"prometheusRule": {"enabled": True, "disable": ["WsproxyDwon"]}}), r"prometheusRule\.disable: .*WsproxyDwon"
        )

    def test_labels_by_which_they_are_selected(self):
        self.assertEqual(
            render({"prometheusRule": {"enabled": True, "labels": {"release": "x"}}}).one("PrometheusRule")["metadata"]["labels"][
                "release"
            ],
            "x",
        )


class Dashboard(ChartTest):
    def test_it_is_the_file(self):
        found = render({"grafanaDashboard": {"enabled": True}}).one("ConfigMap", "-dashboard")
        self.assertEqual(found["metadata"]["labels"]["grafana_dashboard"], "1")
        self.assertNotIn("namespace", found["metadata"])
        [(name, text)] = found["data"].items()
        self.assertTrue(name.endswith(".json"))
        self.assertEqual(json.loads(text), json.loads(read("helm", "wsproxy", "dashboards", "wsproxy.json")))
        self.assertEqual(text.strip(), read("helm", "wsproxy", "dashboards", "wsproxy.json").strip())
        self.assertLess(len(text), 1000000, "more than a ConfigMap holds")

    def test_where_grafana_looks(self):
        settings = {
            "enabled": True,
            "namespace": "monitoring",
            "labels": {"grafana_dashboard": None, "dashboards": "yes"},
            "annotations": {"grafana_folder": "WebSocket"},
        }
        metadata = render({"grafanaDashboard": settings}).one("ConfigMap", "-dashboard")["metadata"]
        self.assertEqual(
            (metadata["namespace"], metadata["annotations"], metadata["labels"]["dashboards"]),
            ("monitoring", {"grafana_folder": "WebSocket"}, "yes"),
        )
        self.assertNotIn("grafana_dashboard", metadata["labels"])


class Autoscaler(ChartTest):
    def spec(self, version=NATIVE, **settings):
        return render({"autoscaling": {"enabled": True, **settings}}, version).one("HorizontalPodAutoscaler")["spec"]

    def test_cpu_by_the_version(self):
        for version in VERSIONS:
            with self.subTest(version):
                rendered = render({"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": 65}}, version)
                [metric] = rendered.one("HorizontalPodAutoscaler")["spec"]["metrics"]
                if number(version) >= [1, 27]:
                    self.assertEqual(metric["type"], "ContainerResource")
                    source = metric["containerResource"]
                    self.assertIn(
                        "cpu", rendered.container(source["container"])["resources"]["requests"], "there is nothing to compare with"
                    )
                else:
                    self.assertEqual(metric["type"], "Resource")
                    source = metric["resource"]
                self.assertEqual((source["name"], source["target"]), ("cpu", {"type": "Utilization", "averageUtilization": 65}))

    def test_connections(self):
        [metric] = self.spec(targetCPUUtilizationPercentage="", targetConnections=2000000)["metrics"]
        self.assertEqual(
            metric,
            {
                "type": "Pods",
                "pods": {"metric": {"name": "wsproxy_connections_active"}, "target": {"type": "AverageValue", "averageValue": "2000000"}},
            },
        )
        self.assertEqual([one["type"] for one in self.spec(targetConnections=5)["metrics"]], ["ContainerResource", "Pods"])

    def test_it_has_the_say_over_replicas(self):
        rendered = render({"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 7}, "replicaCount": 5})
        self.assertNotIn("replicas", rendered.one("Deployment")["spec"])
        spec = rendered.one("HorizontalPodAutoscaler")["spec"]
        self.assertEqual((spec["minReplicas"], spec["maxReplicas"]), (3, 7))
        self.assertEqual(
            spec["scaleTargetRef"], {"apiVersion": "apps/v1", "kind": "Deployment", "name": rendered.one("Deployment")["metadata"]["name"]}
        )
        self.assertIn("scaleDown", spec["behavior"])
        self.assertEqual(render({"replicaCount": 0}).one("Deployment")["spec"]["replicas"], 0)


class Disruptions(ChartTest):
    def spec(self, **settings):
        spec = render({"podDisruptionBudget": {"enabled": True, **settings}}).one("PodDisruptionBudget")["spec"]
        spec.pop("selector")
        return spec

    def test_one_of_the_two(self):
        self.assertEqual(self.spec(), {"maxUnavailable": 1})
        self.assertEqual(self.spec(minAvailable="50%"), {"minAvailable": "50%"})
        self.assertEqual(self.spec(minAvailable=0), {"minAvailable": 0})
        self.assertEqual(self.spec(maxUnavailable=0), {"maxUnavailable": 0})
        self.assertRegex(refusal({"podDisruptionBudget": {"enabled": True, "maxUnavailable": ""}}), "podDisruptionBudget")
