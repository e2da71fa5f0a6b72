"""What goes through all objects: names, labels, selectors, the namespace, and what users put in beside ours."""

from charts_harness import CHART, NATIVE, ORDINARY, ChartTest, cases, render

ALL = [case for case in cases() if case.name == "everything"][0].values


class Extra(ChartTest):
    def test_each_gets_to_its_place(self):
        [case] = [case for case in cases() if case.name == "extra"]
        for version in (NATIVE, ORDINARY):
            with self.subTest(version):
                rendered, values = case.render(version), case.values
                self.assertEqual(rendered.sidecar["args"][3:], values["extraArgs"])
                for one in values["extraEnv"]:
                    self.assertIn(one, rendered.sidecar["env"])
                self.assertEqual(rendered.sidecar["envFrom"], values["extraEnvFrom"])
                for one in values["extraVolumeMounts"]:
                    self.assertIn(one, rendered.sidecar["volumeMounts"])
                for one in values["extraVolumes"]:
                    self.assertIn(one, rendered.pod["volumes"])
                self.assertIn(values["extraContainers"][0], rendered.pod["containers"])
                self.assertEqual(rendered.pod["initContainers"][0], values["extraInitContainers"][0])
                self.assertEqual(rendered.one("ConfigMap", "-more")["data"], {"SERVICE": "demo-wsproxy"})
                self.assertEqual(rendered.one("Secret")["stringData"], {"namespace": "default"})

    def test_where_the_pod_runs(self):
        [case] = [case for case in cases() if case.name == "scheduling"]
        rendered, values = case.render(), case.values
        for key in ("nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName"):
            self.assertEqual(rendered.pod[key], values[key], key)
        self.assertEqual(rendered.pod["securityContext"], values["podSecurityContext"])
        deployment = rendered.one("Deployment")["spec"]
        self.assertEqual((deployment["replicas"], deployment["revisionHistoryLimit"], deployment["strategy"]), (3, 0, {"type": "Recreate"}))

    def test_labels_and_annotations(self):
        rendered = render({"commonLabels": {"team": "x"}, "podLabels": {"a": "b"}, "podAnnotations": {"c": "d"}, **ALL})
        self.assertEqual(rendered.template["metadata"]["labels"]["a"], "b")
        self.assertEqual(rendered.template["metadata"]["annotations"]["c"], "d")
        self.assertEqual(rendered.template["metadata"]["labels"]["team"], "x")
        for found in rendered.objects:
            with self.subTest(found["kind"], name=found["metadata"]["name"]):
                self.assertEqual(found["metadata"]["labels"]["team"], "x")

    def test_secrets_of_registries(self):
        rendered = render({"imagePullSecrets": [{"name": "registry"}]})
        self.assertEqual(rendered.pod["imagePullSecrets"], [{"name": "registry"}])
        self.assertEqual(rendered.one("Pod")["spec"]["imagePullSecrets"], [{"name": "registry"}])


class Names(ChartTest):
    def test_they_are_short_enough(self):
        for release, values in (
            ("r" * 53, {}),
            ("demo", {"fullnameOverride": "f" * 80}),
            ("demo", {"nameOverride": "n" * 63}),
            ("wsproxy-" + "r" * 45, {}),
        ):
            with self.subTest(release, **values):
                for found in render({**ALL, **values}, release=release).objects:
                    self.assertRegex(found["metadata"]["name"], r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")
                    for name, value in found["metadata"]["labels"].items():
                        self.assertRegex(value, r"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$", name)

    def test_two_releases_share_nothing(self):
        def identity(found):
            return found["kind"], found["metadata"]["name"]

        one, other = (render(ALL, release=release) for release in ("one", "other"))
        self.assertEqual({identity(found) for found in one.objects} & {identity(found) for found in other.objects}, set())
        self.assertNotEqual(one.service["spec"]["selector"], other.service["spec"]["selector"])

    def test_the_release_s_name_is_not_there_twice(self):
        self.assertEqual(render(release="wsproxy").one("Deployment")["metadata"]["name"], "wsproxy")
        self.assertEqual(render(release="my-wsproxy").one("Deployment")["metadata"]["name"], "my-wsproxy")
        self.assertEqual(render({"fullnameOverride": "chat"}).one("Deployment")["metadata"]["name"], "chat")
        self.assertEqual(render({"nameOverride": "chat"}).one("Deployment")["metadata"]["name"], "demo-chat")

    def test_no_object_is_there_twice(self):
        for case in cases():
            with self.subTest(case.name):
                found = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in case.render().objects]
                self.assertEqual(len(found), len(set(found)))

    def test_selectors_never_change(self):
        """A Deployment's cannot; what else selects pods must select these."""
        selector = {"app.kubernetes.io/name": "wsproxy", "app.kubernetes.io/instance": "demo"}
        for case in cases():
            if case.chart == CHART:
                with self.subTest(case.name):
                    rendered = case.render()
                    expected = {**selector, "app.kubernetes.io/name": case.values.get("nameOverride", "wsproxy")}
                    self.assertEqual(rendered.one("Deployment")["spec"]["selector"]["matchLabels"], expected)
                    self.assertLessEqual(expected.items(), rendered.template["metadata"]["labels"].items())
                    selectors = [one["spec"]["selector"] for one in rendered.of("Service")]
                    selectors += [
                        one["spec"]["selector"]["matchLabels"] for one in rendered.of("PodDisruptionBudget") + rendered.of("PodMonitor")
                    ]
                    selectors += [one["spec"]["podSelector"]["matchLabels"] for one in rendered.of("NetworkPolicy")]
                    for found in selectors:
                        self.assertEqual(found, expected)

    def test_another_namespace(self):
        rendered = render(ALL, namespace="chats")
        for found in rendered.objects:
            self.assertIn(found["metadata"].get("namespace", "chats"), "chats")
        self.assertIn("demo-wsproxy.chats.svc", rendered.one("Certificate")["spec"]["dnsNames"])
        self.assertIn("demo-wsproxy.chats.svc", rendered.one("Pod")["spec"]["containers"][0]["args"][1])

    def test_nothing_that_is_not_enabled(self):
        kinds = sorted(found["kind"] for found in render().objects)
        self.assertEqual(kinds, ["ConfigMap", "Deployment", "Pod", "Service", "ServiceAccount"])
        [bare] = [case for case in cases() if case.name == "bare"]
        self.assertEqual(sorted(found["kind"] for found in bare.render().objects), ["ConfigMap", "Deployment", "Service"])
        optional = {
            "HorizontalPodAutoscaler": "autoscaling",
            "PodDisruptionBudget": "podDisruptionBudget",
            "NetworkPolicy": "networkPolicy",
            "PodMonitor": "podMonitor",
            "ServiceMonitor": "serviceMonitor",
            "PrometheusRule": "prometheusRule",
            "Ingress": "ingress",
            "HTTPRoute": "httpRoute",
        }
        for kind, switch in optional.items():
            with self.subTest(kind):
                self.assertEqual(len(render(ALL).of(kind)), 1)
                self.assertEqual(render({**ALL, switch: {**ALL[switch], "enabled": False}}).of(kind), [])
