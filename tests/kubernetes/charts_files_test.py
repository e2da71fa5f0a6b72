"""The charts as things that are handed on: wrong values, notes, versions, packages, what Artifact Hub is told."""

import glob
import json
import os
import re
import shutil
import tempfile

import yaml
from charts_harness import (
    BINARY,
    CHART,
    EXAMPLE,
    HERE,
    NATIVE,
    ROOT,
    SIDECAR,
    VERSIONS,
    ChartTest,
    Refused,
    Unique,
    cases,
    in_parallel,
    output,
    read,
    refusal,
    render,
    run,
    template,
    tool,
)


def chart_of(folder):
    return yaml.load(read(folder, "Chart.yaml"), Unique)


def values_of(folder):
    return yaml.load(read(folder, "values.yaml"), Unique)


class Wrong(ChartTest):
    def test_wrong_values_are_refused_with_their_place(self):
        paths = sorted(glob.glob(os.path.join(HERE, "wrong", "*.yaml")))
        self.assertGreaterEqual(len(paths), 30)

        def said(path):
            try:
                template(CHART, json.dumps(yaml.load(read(path), Unique)), NATIVE, "demo", "default")
            except Refused as refused:
                return str(refused)
            return None

        for path, message in zip(paths, in_parallel(said, paths)):
            with self.subTest(os.path.basename(path)):
                self.assertIsNotNone(message, "helm took it")
                self.assertRegex(message, re.search(r"^# expects: (.+)$", read(path), re.M)[1])

    def test_in_a_chart_that_has_the_sidecar_too(self):
        for values, expected in (
            ({"config": {"compression": {"levle": 6}}}, "additional properties 'levle' not allowed"),
            ({"replicaCount": 1}, "'replicaCount' not allowed"),
            ({"config": {"admin": {"address": "localhost:9090"}}}, r"config\.admin\.address"),
        ):
            with self.subTest(values):
                self.assertRegex(refusal({"wsproxy": values}, chart=EXAMPLE), expected)

    def test_a_kubernetes_that_is_too_old(self):
        self.assertIn("1.25", refusal({}, "1.24.0"))

    def test_null_is_never_a_crash(self):
        """Charts that have this one as theirs take values away with null; helm then has no default either."""

        def said(key):
            try:
                render({key: None})
            except Refused as refused:
                return str(refused)
            return ""

        # What nothing can be made without.
        needed = {
            "app",
            "image",
            "check",
            "service",
            "tls",
            "autoscaling",
            "serviceAccount",
            "ingress",
            "httpRoute",
            "podMonitor",
            "serviceMonitor",
            "prometheusRule",
            "grafanaDashboard",
            "podDisruptionBudget",
            "networkPolicy",
            "test",
            "nativeSidecar",
        }
        keys = [key for key in values_of(CHART) if key not in needed]
        self.assertGreater(len(keys), 25)
        for key, message in zip(keys, in_parallel(said, keys)):
            with self.subTest(key):
                self.assertEqual(message, "")


class Notes(ChartTest):
    """helm tells them with an installation only, where it cannot be told which Kubernetes there is: here an object of a copy has them."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.chart = os.path.join(folder.name, "wsproxy")
        shutil.copytree(CHART, cls.chart)
        with open(os.path.join(cls.chart, "templates", "_notes.tpl"), "w") as file:
            file.write('{{- define "notes" }}' + read(CHART, "templates", "NOTES.txt") + "{{ end }}")
        with open(os.path.join(cls.chart, "templates", "notes.yaml"), "w") as file:
            file.write('kind: Notes\nmetadata: {name: notes}\ntext: {{ include "notes" . | quote }}\n')

    def notes(self, values):
        return render(values, namespace="chats", chart=self.chart).one("Notes")["text"]

    def test_the_next_commands(self):
        text = self.notes({"service": {"port": 8080}, "config": {"admin": {"address": "[::]:9191"}}})
        for command in (
            "kubectl --namespace chats rollout status deployment/demo-wsproxy",
            "helm test demo --namespace chats",
            "port-forward service/demo-wsproxy 8009:8080",
            "wsproxy connect ws://localhost:8009",
            "port-forward deployment/demo-wsproxy 9090:9191",
        ):
            self.assertIn(command, text)
        self.assertNotIn("WARNING", text)
        self.assertNotIn("<nil>", text)

    def test_what_they_warn_of(self):
        self.assertRegex(self.notes({"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}), "WARNING: .*twice")
        text = self.notes({"tls": {"enabled": True}})
        self.assertRegex(text, "WARNING: .*demo-wsproxy-tls")
        self.assertNotIn("wsproxy connect", text, "no certificate is for localhost")
        self.assertNotIn("WARNING", self.notes({"tls": {"enabled": True, "existingSecret": "x"}}))
        self.assertNotIn("helm test", self.notes({"test": {"enabled": False}}))

    def test_they_are_there_for_all_cases(self):
        for case, text in zip(cases(), in_parallel(lambda case: self.notes(case.values) if case.chart == CHART else "ordinary", cases())):
            with self.subTest(case.name):
                self.assertRegex(text, "ordinary|native sidecar")


class Versions(ChartTest):
    def test_there_is_one(self):
        version = re.search(r"project\(\s*wsproxy\s+VERSION\s+([0-9.]+)", read("CMakeLists.txt"))[1]
        for folder in (CHART, SIDECAR):
            chart = chart_of(folder)
            self.assertEqual((chart["version"], chart["appVersion"]), (version, version), folder)
        for folder in (CHART, EXAMPLE):
            [dependency] = chart_of(folder)["dependencies"]
            self.assertEqual((dependency["name"], dependency["version"]), (chart_of(SIDECAR)["name"], version), folder)
            self.assertTrue(os.path.samefile(os.path.join(folder, dependency["repository"].removeprefix("file://")), SIDECAR))
        self.assertEqual(re.search(r'"wsproxy\.sidecar\.version" -}}\n(.*)\n', read(SIDECAR, "templates", "_config.tpl"))[1], version)

    def test_what_artifact_hub_is_told(self):
        for folder in (CHART, SIDECAR):
            chart = chart_of(folder)
            told = {
                name.split("/")[1]: yaml.load(text, Unique)
                for name, text in chart["annotations"].items()
                if name.startswith("artifacthub.io/")
            }
            self.assertEqual(told["license"], "BSD-3-Clause")
            self.assertIn("Redistribution and use in source and binary forms", read("LICENSE"))
            self.assertEqual(told["category"], "networking")
            for link in told["links"]:
                inside = re.fullmatch(re.escape(chart["home"]) + r"/(?:blob|tree)/main/(.+)", link["url"])
                self.assertTrue(os.path.exists(os.path.join(ROOT, inside[1])), link["url"])
            self.assertEqual("images" in told, folder == CHART)
            for image in told.get("images", []):
                self.assertEqual(image["image"], render().sidecar["image"])
            for change in told.get("changes", []):
                self.assertIn(change["kind"], ("added", "changed", "deprecated", "removed", "fixed", "security"))

    def test_the_oldest_kubernetes_that_is_tried_is_the_oldest_that_is_taken(self):
        for folder in (CHART, SIDECAR, EXAMPLE):
            self.assertEqual(chart_of(folder)["kubeVersion"], f">={VERSIONS[0]}-0")


class Values(ChartTest):
    def test_what_both_charts_have_is_the_same(self):
        ours, library = values_of(CHART), values_of(SIDECAR)

        def compare(one, other, place):
            for key in one.keys() & other.keys():
                if isinstance(one[key], dict) and isinstance(other[key], dict) and one[key] and place + key in ("tls", "image"):
                    compare(one[key], other[key], f"{place}{key}.")
                else:
                    self.assertEqual(one[key], other[key], place + key)

        self.assertEqual(library.keys() - ours.keys(), set())
        compare(ours, library, "")

    def test_the_schema_knows_all_of_them_and_no_others(self):
        for folder in (CHART, SIDECAR):
            schema, values = json.loads(read(folder, "values.schema.json")), values_of(folder)
            self.assertEqual(schema["properties"].keys() - {"global", "wsproxy-sidecar"}, set(values))
            for key, value in values.items():
                known = schema["properties"][key]
                if "$ref" in known:
                    known = schema["$defs"][known["$ref"].rsplit("/", 1)[1]]
                if (
                    isinstance(value, dict)
                    and known.get("additionalProperties") is False
                    and key not in ("config", "resources")
                    and not key.endswith("Probe")
                ):
                    self.assertEqual(set(known["properties"]), set(value), key)

    def test_the_schemas_are_current(self):
        output(os.path.join(ROOT, "scripts", "chart-schema"), "--check", BINARY)


class Packages(ChartTest):
    def test_what_is_packaged_is_what_is_here(self):
        """The library is a link in the folder and must be a chart in the package."""
        with tempfile.TemporaryDirectory() as folder:
            for chart in (CHART, SIDECAR, EXAMPLE):
                output(tool("helm"), "package", chart, "--destination", folder)
            version = chart_of(CHART)["version"]
            path = os.path.join(folder, f"wsproxy-{version}.tgz")
            names = output("tar", "--list", "--file", path).split()
            for wanted in (
                "charts/wsproxy-sidecar/Chart.yaml",
                "charts/wsproxy-sidecar/templates/_sidecar.tpl",
                "values.schema.json",
                "README.md",
                "rules/wsproxy.rules.yaml",
                "dashboards/wsproxy.json",
            ):
                self.assertIn(f"wsproxy/{wanted}", names)
            self.assertNotIn("wsproxy/README.md.gotmpl", names)
            [everything] = [case for case in cases() if case.name == "everything"]
            for values in ({}, everything.values):
                self.assertEqual(
                    template(path, json.dumps(values), NATIVE, "demo", "default"),
                    template(CHART, json.dumps(values), NATIVE, "demo", "default"),
                )
            example = os.path.join(folder, f"echo-server-{chart_of(EXAMPLE)['version']}.tgz")
            self.assertEqual(template(example, "{}", NATIVE, "demo", "default"), template(EXAMPLE, "{}", NATIVE, "demo", "default"))
            self.assertTrue(os.path.exists(os.path.join(folder, f"wsproxy-sidecar-{version}.tgz")))

    def test_a_library_is_not_installed(self):
        self.assertIn("library charts are not installable", run(tool("helm"), "template", "demo", SIDECAR, "--kube-version", NATIVE).stderr)
