"""The pod: sidecar and app, how they start, are watched and end, with what rights, and what of the configuration makes new pods."""

import yaml
from charts_harness import EXAMPLE, NATIVE, ORDINARY, VERSIONS, ChartTest, cases, number, refusal, render

RIGHTS = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
OWN_APP = {"app": {"image": {"repository": "registry.example.org/chat", "tag": "1.4"}}}


def names(containers):
    return [container["name"] for container in containers or []]


def port_of(container, port):
    """The number of a port as a probe or a hook of this container names it."""
    return port if isinstance(port, int) else {one["name"]: one["containerPort"] for one in container["ports"]}[port]


class Kinds(ChartTest):
    def assert_native(self, rendered):
        self.assertEqual(names(rendered.pod["initContainers"]), ["wsproxy-check", "wsproxy"])
        self.assertEqual(rendered.sidecar["restartPolicy"], "Always")
        self.assertEqual(names(rendered.pod["containers"]), ["app"])

    def assert_ordinary(self, rendered):
        self.assertEqual(names(rendered.pod["initContainers"]), ["wsproxy-check"])
        self.assertEqual(names(rendered.pod["containers"]), ["app", "wsproxy"])
        self.assertNotIn("restartPolicy", rendered.sidecar)

    def test_auto_goes_by_the_version(self):
        for version in VERSIONS:
            with self.subTest(version):
                check = self.assert_native if number(version) >= [1, 29] else self.assert_ordinary
                check(render({}, version))

    def test_versions_as_vendors_write_them(self):
        for version, check in {
            "v1.28.15-eks-1234abc": self.assert_ordinary,
            "v1.29.0-gke.1381000": self.assert_native,
            "1.29.0-alpha.1": self.assert_native,
        }.items():
            with self.subTest(version):
                check(render({}, version))

    def test_true_and_false_as_words_and_as_flags(self):
        for wanted in (True, "true"):
            for version in ("1.28.0", "1.37.0"):
                with self.subTest(wanted, version=version):
                    self.assert_native(render({"nativeSidecar": wanted}, version))
        for wanted in (False, "false"):
            for version in ("1.25.0", "1.37.0"):
                with self.subTest(wanted, version=version):
                    self.assert_ordinary(render({"nativeSidecar": wanted}, version))

    def test_true_where_the_cluster_knows_none(self):
        """It would drop restartPolicy, and the pod would wait for the end of an init container that has none."""
        self.assertRegex(refusal({"nativeSidecar": True}, "1.27.0"), r"nativeSidecar: .*1\.2[89]")

    def test_without_a_check_nothing_is_left_of_it(self):
        values = {"check": {"enabled": False}}
        self.assertEqual(names(render(values).pod["initContainers"]), ["wsproxy"])
        self.assertNotIn("initContainers", render(values, ORDINARY).pod)

    def test_the_check_reads_what_the_sidecar_reads(self):
        for case in cases():
            rendered = case.render()
            if "wsproxy-check" in names(rendered.pod.get("initContainers")):
                with self.subTest(case.name):
                    check, sidecar = rendered.container("wsproxy-check"), rendered.sidecar
                    self.assertEqual(check["args"][:2], ["check", "--config"])
                    self.assertEqual(sidecar["args"][:3], ["run", "--config", check["args"][2]])
                    for key in ("image", "env", "envFrom", "volumeMounts", "securityContext", "resources"):
                        self.assertEqual(check.get(key), sidecar.get(key), key)
                    self.assertLess(
                        names(rendered.pod["initContainers"]).index("wsproxy-check"),
                        (names(rendered.pod["initContainers"]) + ["wsproxy"]).index("wsproxy"),
                    )


class Start(ChartTest):
    def test_probes(self):
        for version in (NATIVE, ORDINARY):
            sidecar = render({}, version).sidecar
            paths = {probe: sidecar[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
            # A native one's must not wait for the app, which starts after it.
            self.assertEqual(paths, {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"})

    def test_their_ports_are_the_side_port(self):
        for case in cases():
            with self.subTest(case.name):
                rendered = case.render()
                if case.values.get("existingConfigMap") or case.values.get("wsproxy", {}).get("existingConfigMap"):
                    side = 9090
                else:
                    side = int(rendered.config["admin"]["address"].rsplit(":", 1)[1])
                for key in ("startupProbe", "livenessProbe", "readinessProbe"):
                    if key in rendered.sidecar:
                        self.assertEqual(port_of(rendered.sidecar, rendered.sidecar[key]["httpGet"]["port"]), side)

    def test_settings_of_probes(self):
        sidecar = render({"livenessProbe": {"periodSeconds": 7}, "readinessProbe": None}).sidecar
        self.assertEqual(sidecar["livenessProbe"]["periodSeconds"], 7)
        self.assertEqual(sidecar["livenessProbe"]["failureThreshold"], 3, "what is not given stays")
        self.assertNotIn("readinessProbe", sidecar)

    def test_a_probe_that_would_not_be_used_is_refused(self):
        self.assertRegex(refusal({"livenessProbe": {"httpGet": {"path": "/mine", "port": 1}}}), "livenessProbe.*httpGet")

    def test_the_image_of_this_version_unless_another_is_given(self):
        for values, image in (
            ({}, "ghcr.io/wsproxy/wsproxy:0.1.0"),
            ({"image": {"repository": "r/x", "tag": "2"}}, "r/x:2"),
            ({"image": {"tag": "20240101"}}, "ghcr.io/wsproxy/wsproxy:20240101"),
            ({"image": {"tag": "2", "digest": "sha256:" + "0" * 64}}, "ghcr.io/wsproxy/wsproxy@sha256:" + "0" * 64),
        ):
            with self.subTest(values):
                rendered = render(values)
                self.assertEqual(
                    {
                        rendered.sidecar["image"],
                        rendered.container("wsproxy-check")["image"],
                        rendered.app["image"],
                        rendered.one("Pod")["spec"]["containers"][0]["image"],
                    },
                    {image},
                )

    def test_the_echo_app(self):
        app = render({"app": {"port": 8123}})
        self.assertEqual(app.app["args"], ["echo", "--port", "8123"])
        self.assertEqual(app.config["upstream"]["url"], "ws://127.0.0.1:8123")

    def test_an_app_of_ones_own(self):
        rendered = render({"app": {**OWN_APP["app"], "port": 8080, "command": ["a"], "args": ["b"], "env": [{"name": "C", "value": "d"}]}})
        self.assertEqual(rendered.app["image"], "registry.example.org/chat:1.4")
        self.assertEqual(
            (rendered.app["command"], rendered.app["args"], rendered.app["env"]), (["a"], ["b"], [{"name": "C", "value": "d"}])
        )
        self.assertEqual(rendered.config["upstream"]["url"], "ws://127.0.0.1:8080")
        self.assertNotIn("args", render(OWN_APP).app)

    def test_the_image_s_own_addresses_are_out_of_the_way(self):
        """Those of the image are for who has no file; variables win over files."""
        env = {one["name"]: one["value"] for one in render().sidecar["env"]}
        self.assertEqual(env, {"WS_PROXY_HOST": "", "WS_PROXY_ADMIN": ""})


class End(ChartTest):
    def test_the_hooks_drain(self):
        for values in ({}, OWN_APP, {"config": {"admin": {"address": "[::]:9191"}}}):
            for version in (NATIVE, ORDINARY):
                with self.subTest(values, version=version):
                    rendered = render(values, version)
                    side = port_of(rendered.sidecar, "wsproxy-admin")
                    for container in (rendered.sidecar, rendered.app):
                        hook = container["lifecycle"]["preStop"]["httpGet"]
                        path = "/drain" if container["name"] == "wsproxy" else "/drained"
                        self.assertEqual((hook["path"], port_of(container, hook["port"])), (path, side))

    def test_a_hook_of_ones_own(self):
        lifecycle = {"preStop": {"exec": {"command": ["/bin/sleep", "40"]}}}
        rendered = render({"app": {"lifecycle": lifecycle}})
        self.assertEqual(rendered.app["lifecycle"], lifecycle)
        self.assertEqual(rendered.sidecar["lifecycle"]["preStop"]["httpGet"]["path"], "/drain")

    def test_there_is_time_to_drain(self):
        for timeout, seconds in (("25s", 25), ("90s", 90), ("90 s", 90), ("5m", 300), ("1h", 3600), ("1500ms", 2), (0, 0), ("0", 0)):
            with self.subTest(timeout):
                given = render({"config": {"drain": {"timeout": timeout, "spread": "0s", "delay": "0s"}}}).pod[
                    "terminationGracePeriodSeconds"
                ]
                self.assertGreater(given, seconds)
                self.assertLessEqual(given, seconds + 30, "a pod that hangs is in the way for that long")
        self.assertEqual(render().pod["terminationGracePeriodSeconds"], 40)

    def test_a_time_of_ones_own(self):
        self.assertEqual(render({"terminationGracePeriodSeconds": 70}).pod["terminationGracePeriodSeconds"], 70)
        self.assertEqual(
            render({"terminationGracePeriodSeconds": 100000, "config": {"drain": {"timeout": "${T:-10m}"}}}).pod[
                "terminationGracePeriodSeconds"
            ],
            100000,
        )

    def test_sections_without_a_value(self):
        """They are the defaults for the binary, so they are for the chart."""
        for section in ("drain", "admin", "compression", "log", "sentry", "upstream", "listeners"):
            with self.subTest(section):
                self.assertEqual(render({"config": {section: None}}).pod["terminationGracePeriodSeconds"], 40)


class Rights(ChartTest):
    def test_of_all_that_runs_our_image(self):
        for values in ({}, {"nativeSidecar": False}, {"tls": {"enabled": True}}):
            rendered = render(values)
            for container in (
                rendered.sidecar,
                rendered.container("wsproxy-check"),
                rendered.app,
                *rendered.one("Pod")["spec"]["containers"],
            ):
                with self.subTest(container["name"], **values):
                    self.assertEqual(container["securityContext"], RIGHTS)
        example = render(chart=EXAMPLE)
        self.assertEqual(example.sidecar["securityContext"], RIGHTS)
        self.assertEqual(example.container("wsproxy-check")["securityContext"], RIGHTS)

    def test_an_app_of_ones_own_has_what_it_is_given(self):
        self.assertNotIn("securityContext", render(OWN_APP).app)
        self.assertEqual(render({"app": {**OWN_APP["app"], "securityContext": {"runAsUser": 1}}}).app["securityContext"], {"runAsUser": 1})

    def test_no_token_of_a_service_account(self):
        for values in ({}, {"serviceAccount": {"create": False}}):
            rendered = render(values)
            for pod in (rendered.pod, rendered.one("Pod")["spec"]):
                self.assertIs(pod["automountServiceAccountToken"], False)
            for account in rendered.of("ServiceAccount"):
                self.assertIs(account["automountServiceAccountToken"], False)

    def test_whose_service_account(self):
        for values, name, count in (
            ({}, "demo-wsproxy", 1),
            ({"serviceAccount": {"name": "chat"}}, "chat", 1),
            ({"serviceAccount": {"create": False, "name": "chat"}}, "chat", 0),
            ({"serviceAccount": {"create": False}}, "default", 0),
        ):
            with self.subTest(values):
                rendered = render(values)
                self.assertEqual(rendered.pod["serviceAccountName"], name)
                self.assertEqual([one["metadata"]["name"] for one in rendered.of("ServiceAccount")], [name] * count)


class ConfigMap(ChartTest):
    def test_it_is_mounted_where_it_is_read_and_never_by_sub_path(self):
        for case in cases():
            with self.subTest(case.name):
                rendered = case.render()
                mounts = {mount["name"]: mount for mount in rendered.sidecar["volumeMounts"]}
                volumes = {volume["name"]: volume for volume in rendered.pod["volumes"]}
                self.assertEqual(len(volumes), len(rendered.pod["volumes"]))
                self.assertLessEqual(set(mounts), set(volumes) | {"more"})
                path = rendered.sidecar["args"][rendered.sidecar["args"].index("--config") + 1]
                self.assertEqual(path, mounts["wsproxy-config"]["mountPath"] + "/wsproxy.yaml")
                self.assertNotIn("subPath", rendered.text)
                wanted = case.values.get("existingConfigMap") or case.values.get("wsproxy", {}).get("existingConfigMap")
                name = volumes["wsproxy-config"]["configMap"]["name"]
                made = [one["metadata"]["name"] for one in rendered.of("ConfigMap") if "wsproxy.yaml" in one["data"]]
                self.assertEqual([name, made], [wanted, []] if wanted else [name, [name]])

    def test_what_makes_new_pods(self):
        """The keys that docs/operations.md names, and no others."""

        def pod(config):
            return yaml.safe_dump(render({"config": config}).template)

        before = pod({"workers": 1, "sentry": {"dsn": "https://a@b.example/1"}})
        for config in (
            {"workers": 2},
            {"admin": {"address": "[::]:9090"}},
            {"compression": {"memory": "64MiB"}},
            {"log": {"format": "json"}},
            {"sentry": {"dsn": "https://a@b.example/1", "environment": "x"}},
            {"sentry": {"dsn": "https://a@b.example/2"}},
        ):
            with self.subTest(config):
                self.assertNotEqual(pod({"workers": 1, "sentry": {"dsn": "https://a@b.example/1"}, **config}), before)
        for config in (
            {"admin": {"drain": "any"}},
            {"compression": {"level": 9}},
            {"log": {"level": "debug", "access": True}},
            {"limits": {"max_connections": 5}},
            {"upstream": {"url": "ws://127.0.0.1:1"}},
            {"drain": {"spread": "1s"}},
            {"timeouts": {"idle": "1m"}},
            {"routes": []},
        ):
            with self.subTest(config):
                self.assertEqual(pod({"workers": 1, "sentry": {"dsn": "https://a@b.example/1"}, **config}), before)

    def test_memory_has_room(self):
        self.assertIn("384Mi", refusal({"config": {"compression": {"memory": "384MiB"}}}))
        for limit, budget in (("385Mi", "384MiB"), ("1Gi", "512MiB"), ("1G", "900MB"), (None, "8GiB"), (400000000, "256MiB")):
            with self.subTest(limit, budget=budget):
                render({"resources": {"limits": {"memory": limit}} if limit else None, "config": {"compression": {"memory": budget}}})
