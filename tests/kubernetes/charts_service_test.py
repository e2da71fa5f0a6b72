"""How clients get in: Service, TLS, Ingress, HTTPRoute, NetworkPolicy, and the test that asks through the Service."""

import urllib.parse

from charts_harness import CHART, NATIVE, ORDINARY, ChartTest, cases, refusal, render

TLS = {"tls": {"enabled": True, "existingSecret": "ours"}}
ISSUED = {
    "tls": {
        "enabled": True,
        "certManager": {"enabled": True, "issuerRef": {"name": "ours", "kind": "ClusterIssuer"}, "dnsNames": ["chat.example.org"]},
    }
}


def first_port(rendered):
    return rendered.service["spec"]["ports"][0]


def addresses(config):
    return [one.get("address", "0.0.0.0:8009") for one in config["listeners"]]


class Service(ChartTest):
    def test_ports_and_protocols(self):
        for values, expected in (
            ({}, ("ws", 80, "kubernetes.io/ws")),
            (TLS, ("wss", 443, "kubernetes.io/wss")),
            (ISSUED, ("wss", 443, "kubernetes.io/wss")),
            ({"service": {"port": 8080, "appProtocol": "http"}}, ("ws", 8080, "http")),
        ):
            for version in (NATIVE, ORDINARY):
                with self.subTest(values, version=version):
                    port = first_port(render(values, version))
                    self.assertEqual((port["name"], port["port"], port["appProtocol"], port["targetPort"]), (*expected, 8009))

    def test_targets_are_numbers_of_ports_that_are_there(self):
        """Names of a native sidecar's ports are not found by a Service before Kubernetes 1.33."""
        for case in cases():
            if case.chart == CHART:
                for version in (case.versions[0], NATIVE):
                    with self.subTest(case.name, version=version):
                        rendered = case.render(version)
                        numbers = set(rendered.ports().values())
                        for service in rendered.of("Service"):
                            for port in service["spec"]["ports"]:
                                self.assertIsInstance(port["targetPort"], int)
                                self.assertIn(port["targetPort"], numbers)

    def test_ports_are_those_of_the_configuration(self):
        for case in cases():
            if case.chart == CHART and not case.values.get("existingConfigMap"):
                with self.subTest(case.name):
                    rendered = case.render()
                    listening = [int(one.rsplit(":", 1)[1]) for one in addresses(rendered.config) if not one.startswith("unix:")]
                    targets = [port["targetPort"] for port in rendered.service["spec"]["ports"]]
                    self.assertEqual(targets, listening)
                    ports = rendered.ports()
                    self.assertEqual(ports.pop("wsproxy-admin"), int(rendered.config["admin"]["address"].rsplit(":", 1)[1]))
                    self.assertEqual(sorted(ports.values()), sorted(listening))

    def test_the_api_server_would_take_its_ports(self):
        for case in cases():
            for service in case.render().of("Service"):
                with self.subTest(case.name, service=service["metadata"]["name"]):
                    ports = service["spec"]["ports"]
                    self.assertEqual(len({port.get("name") for port in ports}), len(ports))
                    self.assertEqual(len({port["port"] for port in ports}), len(ports))
        self.assertRegex(
            refusal({"service": {"port": 8010}, "config": {"listeners": [{"address": "0.0.0.0:8009"}, {"address": "0.0.0.0:8010"}]}}),
            r"service\.port",
        )

    def test_the_side_port_is_never_offered_to_clients(self):
        """Who reaches it can drain the pod."""
        for listener in ("unix:/run/socket", "0.0.0.0:${PORT}", "0.0.0.0:0"):
            with self.subTest(listener):
                self.assertRegex(refusal({"config": {"listeners": [{"address": listener}]}}), r"config\.listeners")
        for case in cases():
            if case.chart == CHART:
                rendered = case.render()
                self.assertNotIn(
                    rendered.ports()["wsproxy-admin"], [port["targetPort"] for port in rendered.service["spec"]["ports"]], case.name
                )

    def test_kinds_of_service(self):
        spec = render(
            {
                "service": {
                    "type": "LoadBalancer",
                    "externalTrafficPolicy": "Local",
                    "ipFamilyPolicy": "PreferDualStack",
                    "annotations": {"a": "b"},
                }
            }
        ).service
        self.assertEqual(spec["metadata"]["annotations"], {"a": "b"})
        self.assertEqual(
            [spec["spec"][key] for key in ("type", "externalTrafficPolicy", "ipFamilyPolicy")], ["LoadBalancer", "Local", "PreferDualStack"]
        )
        self.assertEqual(first_port(render({"service": {"type": "NodePort", "nodePort": 30080}}))["nodePort"], 30080)
        self.assertNotIn("nodePort", first_port(render({"service": {"type": "NodePort"}})))


class Tls(ChartTest):
    def test_the_secret_is_mounted_where_the_configuration_looks(self):
        for values, secret in (
            (TLS, "ours"),
            (ISSUED, "demo-wsproxy-tls"),
            ({"tls": {"enabled": True}}, "demo-wsproxy-tls"),
            ({"tls": {"enabled": True}, "fullnameOverride": "chat"}, "chat-tls"),
        ):
            for version in (NATIVE, ORDINARY):
                with self.subTest(values, version=version):
                    rendered = render(values, version)
                    tls = rendered.config["listeners"][0]["tls"]
                    mounts = {mount["mountPath"]: mount for mount in rendered.sidecar["volumeMounts"]}
                    for key, file in (("certificate", "tls.crt"), ("private_key", "tls.key")):
                        folder, name = tls[key].rsplit("/", 1)
                        self.assertEqual(name, file, "the keys of a secret of type kubernetes.io/tls")
                        self.assertTrue(mounts[folder]["readOnly"])
                    [volume] = [one for one in rendered.pod["volumes"] if one["name"] == mounts[folder]["name"]]
                    self.assertEqual(volume["secret"]["secretName"], secret)

    def test_whom_a_certificate_is_for(self):
        spec = render(ISSUED).one("Certificate")["spec"]
        self.assertEqual(spec["secretName"], "demo-wsproxy-tls")
        self.assertEqual(spec["issuerRef"], {"name": "ours", "kind": "ClusterIssuer"})
        self.assertEqual(set(spec["dnsNames"]), {"chat.example.org", "demo-wsproxy", "demo-wsproxy.default", "demo-wsproxy.default.svc"})
        [case] = [case for case in cases() if case.name == "cert-manager"]
        spec = case.render().one("Certificate")["spec"]
        self.assertEqual((spec["dnsNames"], spec["duration"], spec["renewBefore"]), (["chat.example.org"], "2160h", "360h"))

    def test_without_tls_there_is_none(self):
        text = render().text
        for word in ("wss", "tls", "secretName", "443"):
            self.assertNotIn(word, text)
        self.assertEqual(render({**TLS, "tls": {"enabled": True, "existingSecret": "x"}}).of("Certificate"), [])

    def test_the_first_listener_that_has_a_port_is_the_one(self):
        """It is the one that the Service tells of as wss."""
        [case] = [case for case in cases() if case.name == "tls-listeners"]
        rendered = case.render()
        self.assertEqual(first_port(rendered)["targetPort"], 8443)
        self.assertEqual([one["address"] for one in rendered.config["listeners"] if "tls" in one], ["0.0.0.0:8443"])

    def test_a_listener_s_own_tls_stays(self):
        own = {"certificate": "/mine/a.crt", "private_key": "/mine/a.key"}
        config = render({**TLS, "config": {"listeners": [{"address": "[::]:1443", "tls": own}]}}).config
        self.assertEqual(config["listeners"][0]["tls"], own)


class Ways(ChartTest):
    def assert_back_end(self, rendered, name, port):
        self.assertEqual(name, rendered.service["metadata"]["name"])
        self.assertIn(port, [one["port"] for one in rendered.service["spec"]["ports"]])

    def test_ingress(self):
        [case] = [case for case in cases() if case.name == "ingress"]
        rendered = case.render()
        ingress = rendered.one("Ingress")
        self.assertEqual(ingress["spec"]["ingressClassName"], "nginx")
        self.assertEqual(ingress["spec"]["tls"], case.values["ingress"]["tls"])
        self.assertEqual(ingress["metadata"]["annotations"], case.values["ingress"]["annotations"])
        found = [(rule["host"], path["path"], path["pathType"]) for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
        self.assertEqual(
            found,
            [
                ("chat.example.org", "/", "Prefix"),
                ("chat.example.org", "/exact", "Exact"),
                ("*.example.net", "/ws", "ImplementationSpecific"),
            ],
        )
        for values in (case.values, {"ingress": {"enabled": True}, **TLS}, {"ingress": {"enabled": True}, "service": {"port": 8080}}):
            rendered = render(values)
            for rule in rendered.one("Ingress")["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    self.assert_back_end(rendered, path["backend"]["service"]["name"], path["backend"]["service"]["port"]["number"])

    def test_http_route(self):
        route = {"httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}], "hostnames": ["chat.example.org"]}}
        for values in (route, {**route, **TLS}):
            rendered = render(values)
            spec = rendered.one("HTTPRoute")["spec"]
            self.assertEqual((spec["parentRefs"], spec["hostnames"]), ([{"name": "public"}], ["chat.example.org"]))
            [rule] = spec["rules"]
            [back] = rule["backendRefs"]
            self.assert_back_end(rendered, back["name"], back["port"])
            self.assertEqual(rule["timeouts"], {"request": "0s"}, "no limit, as a WebSocket is one request")

    def test_network_policy(self):
        who, scrapers = [{"podSelector": {"matchLabels": {"a": "b"}}}], [{"namespaceSelector": {}}]
        for listeners in (
            [{"address": "0.0.0.0:8009"}],
            [{"address": "[::]:8443"}, {"address": "unix:/run/s"}, {"address": "0.0.0.0:8010"}],
        ):
            for more in ({}, {"from": who}, {"metricsFrom": scrapers}, {"from": who, "metricsFrom": scrapers}):
                with self.subTest(listeners, **more):
                    rendered = render({"config": {"listeners": listeners}, "networkPolicy": {"enabled": True, **more}})
                    spec = rendered.one("NetworkPolicy")["spec"]
                    numbers = [int(one["address"].rsplit(":", 1)[1]) for one in listeners if not one["address"].startswith("unix")]
                    clients = {"ports": [{"port": one, "protocol": "TCP"} for one in numbers], **({"from": who} if "from" in more else {})}
                    metrics = {"ports": [{"port": 9090, "protocol": "TCP"}], "from": scrapers}
                    self.assertEqual(spec["ingress"], [clients, metrics] if "metricsFrom" in more else [clients])
                    self.assertEqual(spec["policyTypes"], ["Ingress"])

    def test_network_policy_for_what_goes_out(self):
        rules = [{"ports": [{"port": 53, "protocol": "UDP"}]}]
        spec = render({"networkPolicy": {"enabled": True, "egress": rules}}).one("NetworkPolicy")["spec"]
        self.assertEqual((spec["policyTypes"], spec["egress"]), (["Ingress", "Egress"], rules))


class HelmTest(ChartTest):
    def test_it_asks_through_the_service(self):
        for values, scheme in (({}, "ws"), (TLS, "wss"), ({"service": {"port": 8080}}, "ws"), ({"fullnameOverride": "chat"}, "ws")):
            with self.subTest(values):
                rendered = render(values, namespace="chats")
                pod = rendered.one("Pod", "-test")
                self.assertEqual(pod["metadata"]["annotations"]["helm.sh/hook"], "test")
                [container] = pod["spec"]["containers"]
                url = urllib.parse.urlsplit(container["args"][container["args"].index("connect") + 1])
                self.assertEqual(
                    (url.scheme, url.hostname, url.port),
                    (scheme, f"{rendered.service['metadata']['name']}.chats.svc", first_port(rendered)["port"]),
                )
                self.assertEqual(pod["spec"]["restartPolicy"], "Never")
                selector = rendered.service["spec"]["selector"].items()
                self.assertFalse(selector <= pod["metadata"]["labels"].items(), "the Service would send clients to it")

    def test_it_trusts_the_secret_s_authority_and_sees_no_key(self):
        pod = render(ISSUED).one("Pod")["spec"]
        [volume] = pod["volumes"]
        self.assertEqual(volume["secret"]["secretName"], "demo-wsproxy-tls")
        self.assertEqual([item["key"] for item in volume["secret"]["items"]], ["ca.crt"])
        [mount] = pod["containers"][0]["volumeMounts"]
        self.assertEqual(pod["containers"][0]["env"], [{"name": "SSL_CERT_FILE", "value": f"{mount['mountPath']}/ca.crt"}])
        for values in ({}, {**TLS, "test": {"ca": ""}}):
            pod = render(values).one("Pod")["spec"]
            self.assertNotIn("volumes", pod)
            self.assertNotIn("env", pod["containers"][0])

    def test_a_secret_without_an_authority_does_not_keep_it_from_starting(self):
        """It fails then and says why; a volume that is not there would keep it waiting until helm gives up."""
        self.assertIs(render(TLS).one("Pod")["spec"]["volumes"][0]["secret"].get("optional"), True)

    def test_its_settings(self):
        args = render({"test": {"url": "wss://chat.example.org/feed", "message": "ping"}}).one("Pod")["spec"]["containers"][0]["args"]
        self.assertEqual(args, ["connect", "wss://chat.example.org/feed", "--send", "ping"])
        self.assertEqual(render({"test": {"enabled": False}}).of("Pod"), [])
