"""All cases on all versions of Kubernetes: valid objects, a configuration that the binary takes, and what was rendered before."""

import difflib
import json
import os
import re
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
    UPDATE,
    VERSIONS,
    ChartTest,
    cases,
    certificate,
    in_parallel,
    output,
    read,
    render,
    run,
    tool,
)


def conform(version, *paths):
    """What is wrong, {(file, kind, name): message}, and the number of all resources. Nothing is fetched, and nothing is skipped."""
    schemas = output(os.path.join(ROOT, "scripts", "kubernetes-schemas")).strip()
    result = run(
        tool("kubeconform"),
        "-strict",
        "-output",
        "json",
        "-verbose",
        "-kubernetes-version",
        version,
        "-schema-location",
        os.path.join(schemas, "{{.NormalizedKubernetesVersion}}-local-strict", "{{.ResourceKind}}{{.KindSuffix}}.json"),
        "-schema-location",
        os.path.join(HERE, "crds", "{{.ResourceKind}}{{.KindSuffix}}.json"),
        *paths,
    )
    try:
        resources = [one for one in json.loads(result.stdout)["resources"] if one["kind"] or one["msg"]]  # no empty documents
    except ValueError:
        raise AssertionError(result.stderr or result.stdout) from None
    wrong = {
        (os.path.basename(one["filename"]), one["kind"], one["name"]): one["msg"] for one in resources if one["status"] != "statusValid"
    }
    return wrong, len(resources)


class Valid(ChartTest):
    def test_all_cases_on_all_versions(self):
        todo = [(case, version) for case in cases() for version in case.versions]
        rendered = in_parallel(lambda what: what[0].render(what[1]), todo)
        with tempfile.TemporaryDirectory() as folder:
            files, objects = {version: [] for version in VERSIONS}, dict.fromkeys(VERSIONS, 0)
            for (case, version), result in zip(todo, rendered):
                path = os.path.join(folder, f"{case.name.replace('/', '-')}@{version}.yaml")
                with open(path, "w") as file:
                    file.write(result.text)
                files[version].append(path)
                objects[version] += len(result.objects)
            for version, (wrong, count) in zip(VERSIONS, in_parallel(lambda version: conform(version, *files[version]), VERSIONS)):
                with self.subTest(version):
                    self.assertEqual(wrong, {})
                    self.assertEqual(count, objects[version])

    def test_what_is_wrong_would_be_told(self):
        """A misspelt key far down, in an object of Kubernetes and in one of the operator's, and a kind without a schema."""
        objects = render({"podMonitor": {"enabled": True}}).objects
        for found in objects:
            if found["kind"] == "Deployment":
                found["spec"]["template"]["spec"]["initContainers"][1]["lifecycle"]["preStop"]["httpGet"]["pth"] = "/"
            if found["kind"] == "PodMonitor":
                found["spec"]["podMetricsEndpoints"][0]["intervall"] = "1s"
        objects.append({"apiVersion": "example.org/v1", "kind": "Unknown", "metadata": {"name": "x"}})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump_all(objects, file)
            file.flush()
            wrong, _ = conform(NATIVE, file.name)
        self.assertEqual({kind for _, kind, _ in wrong}, {"Deployment", "PodMonitor", "Unknown"})

    def test_lint(self):
        todo = [[chart] for chart in (CHART, SIDECAR, EXAMPLE)]
        todo += [[case.chart, "--values", os.path.join(HERE, "values", f"{case.name}.yaml")] for case in cases()]
        results = in_parallel(lambda what: run(tool("helm"), "lint", "--strict", "--kube-version", NATIVE, *what), todo)
        for what, result in zip(todo, results):
            with self.subTest(what):
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class Configuration(ChartTest):
    def test_the_binary_takes_it(self):
        """As the check container is called; the files of TLS that it names are put elsewhere."""
        chain, key, _ = certificate()
        checked = 0
        for case in cases():
            with self.subTest(case.name):
                rendered = case.render()
                if not [one for one in rendered.of("ConfigMap") if one["metadata"]["name"].endswith("-config")]:
                    continue
                text = re.sub(r"/[a-z/]+\.crt\b", chain, re.sub(r"/[a-z/]+\.key\b", key, rendered.config_text))
                environment = {one["name"]: one.get("value", "https://key@sentry.example.org/1") for one in rendered.sidecar["env"]}
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "wsproxy.yaml")
                    with open(path, "w") as file:
                        file.write(text)
                    result = run(BINARY, "check", "--config", path, env={**os.environ, **environment})
                self.assertEqual(result.returncode, 0, result.stderr + text)
                checked += 1
        self.assertGreater(checked, 20)

    def test_it_is_passed_through(self):
        """All that the values say is in the file as it was."""

        def within(given, found, place):
            if isinstance(given, dict) and isinstance(found, dict):
                for name, value in given.items():
                    within(value, found.get(name), f"{place}.{name}")
            elif isinstance(given, list) and isinstance(found, list):
                self.assertEqual(len(given), len(found), place)
                for at, value in enumerate(given):
                    within(value, found[at], f"{place}[{at}]")
            elif given is not None:
                self.assertEqual(given, found, place)

        for case in cases():
            given = case.values.get("config") or case.values.get("wsproxy", {}).get("config")
            if given and not case.values.get("existingConfigMap"):
                with self.subTest(case.name):
                    within(given, case.render().config, "config")


class Golden(ChartTest):
    def test_nothing_has_changed(self):
        folder = os.path.join(HERE, "golden")
        expected = set()
        for case in cases():
            for version in case.golden:
                name = f"{case.name.replace('/', '-')}-{version.rsplit('.', 1)[0]}.yaml"
                expected.add(name)
                path = os.path.join(folder, name)
                # The dashboard's own text is a file that has its own tests.
                text = re.sub(r"(?m)^(  wsproxy\.json: \|-\n)(    .*\n)+", r"\1    ...\n", case.render(version).text)
                if UPDATE:
                    with open(path, "w") as file:
                        file.write(text)
                    continue
                with self.subTest(name):
                    before = read(path) if os.path.exists(path) else ""
                    diff = "".join(difflib.unified_diff(before.splitlines(True), text.splitlines(True), f"golden/{name}", "rendered"))
                    self.assertEqual(diff, "", f"is rendered otherwise; if that is meant: scripts/check-charts --update\n{diff}")
        left = set(os.listdir(folder)) - expected
        for name in left if UPDATE else ():
            os.remove(os.path.join(folder, name))
        self.assertEqual(set() if UPDATE else left, set(), "no case makes these golden files")
