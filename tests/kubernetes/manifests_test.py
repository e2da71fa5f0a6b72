"""The plain manifests: they build, are valid, and run the very sidecar that the charts run."""

import os
import shutil
import tempfile
import unittest

import yaml
from charts_harness import BINARY, ROOT, output, tool

FOLDERS = ("k8s", "k8s/examples/echo-server")
VERSIONS = ("1.29.0", "1.34.0", "1.37.0")


def built(folder):
    return output(tool("kustomize"), "build", os.path.join(ROOT, folder))


def objects(text, kind):
    return [found for found in yaml.safe_load_all(text) if found and found["kind"] == kind]


def library_pod():
    """Of the example chart, which has nothing but what the library chart gives."""
    chart = os.path.join(ROOT, "helm", "examples", "echo-server")
    [deployment] = objects(output(tool("helm"), "template", "echo", chart, "--kube-version", "1.31.0"), "Deployment")
    return deployment["spec"]["template"]["spec"]


class Manifests(unittest.TestCase):
    def test_they_are_valid(self):
        schemas = output(os.path.join(ROOT, "scripts", "kubernetes-schemas")).strip()
        for folder in FOLDERS:
            text = built(folder)
            for version in VERSIONS:
                with self.subTest(folder=folder, version=version):
                    where = os.path.join(schemas, f"v{version}-local-strict", "{{.ResourceKind}}{{.KindSuffix}}.json")
                    output(tool("kubeconform"), "-strict", "-kubernetes-version", version, "-schema-location", where, input=text)

    def test_the_sidecar_is_that_of_the_charts(self):
        expected = {container["name"]: container for container in library_pod()["initContainers"]}
        for container in expected.values():
            container.pop("imagePullPolicy")
        for folder in FOLDERS:
            with self.subTest(folder):
                [deployment] = objects(built(folder), "Deployment")
                pod = deployment["spec"]["template"]["spec"]
                self.assertEqual({container["name"]: container for container in pod["initContainers"]}, expected)
                self.assertEqual(pod["terminationGracePeriodSeconds"], library_pod()["terminationGracePeriodSeconds"])
                lifecycle = library_pod()["containers"][0]["lifecycle"]
                self.assertEqual([container["lifecycle"] for container in pod["containers"]], [lifecycle])

    def test_the_configuration_is_there_and_good(self):
        for folder in FOLDERS:
            with self.subTest(folder):
                text = built(folder)
                [config] = objects(text, "ConfigMap")
                [deployment] = objects(text, "Deployment")
                volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
                self.assertEqual(volumes["wsproxy-config"]["configMap"]["name"], config["metadata"]["name"])
                self.assertEqual(config["metadata"]["name"], "wsproxy-config", "a hash in its name makes new pods of each change")
                output(BINARY, "check", "--config", "/dev/stdin", input=config["data"]["wsproxy.yaml"])

    def test_a_deployment_without_the_label_is_left_alone(self):
        example = os.path.join(ROOT, "k8s", "examples", "echo-server")
        with tempfile.TemporaryDirectory(dir=os.path.dirname(example)) as folder:
            shutil.copytree(example, folder, dirs_exist_ok=True)
            with open(os.path.join(folder, "echo-server.yaml"), "r+") as file:
                other = file.read().replace(', wsproxy-sidecar: "true"', "").replace("echo-server", "other")
                file.seek(0, os.SEEK_END)
                file.write("---\n" + other)
            pods = {found["metadata"]["name"]: found["spec"]["template"]["spec"] for found in objects(built(folder), "Deployment")}
        self.assertIn("initContainers", pods["echo-server"])
        self.assertEqual(set(pods["other"]), {"containers"})

    def test_services_and_policies_reach_the_pods(self):
        for folder in FOLDERS:
            text = built(folder)
            [deployment] = objects(text, "Deployment")
            labels = deployment["spec"]["template"]["metadata"]["labels"].items()
            ports = {port["containerPort"] for container in deployment["spec"]["template"]["spec"]["initContainers"] for port in container.get("ports", [])}
            for service in objects(text, "Service"):
                self.assertLessEqual(service["spec"]["selector"].items(), labels)
                self.assertIn(service["spec"]["ports"][0]["targetPort"], ports)
            selected = [found["spec"]["podSelector"] for found in objects(text, "NetworkPolicy")]
            selected += [found["spec"]["selector"] for found in objects(text, "PodDisruptionBudget")]
            for selector in selected:
                self.assertTrue(selector.get("matchLabels"), "it would be for all pods of the namespace")
                self.assertLessEqual(selector["matchLabels"].items(), labels)


if __name__ == "__main__":
    unittest.main()
