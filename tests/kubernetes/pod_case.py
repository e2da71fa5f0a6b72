"""What the pod suites stand on: charts rendered for them, pods on podman, clients from outside of the pod."""

import asyncio
import os
import sys
import tempfile
import unittest

import websockets
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
sys.path.insert(0, HERE)

from harness.metrics import Metrics  # noqa: E402
from kubelet import Pod, run, wait_until  # noqa: E402

OURS, FOREIGN = "ghcr.io/wsproxy/wsproxy:0.1.0", "docker.io/jmalloc/echo-server:0.3.7"
IMAGES = {OURS: os.environ.get("WSPROXY_IMAGE", ""), FOREIGN: os.environ.get("WSPROXY_FOREIGN_IMAGE", "")}
HELM = os.environ.get("HELM", "helm")
NATIVE, ORDINARY = "1.31.0", "1.28.0"  # Kubernetes versions with and without native sidecars
CHART = os.path.join(ROOT, "helm", "wsproxy")
EXAMPLE = os.path.join(ROOT, "helm", "examples", "echo-server")


def rendered(chart=CHART, version=NATIVE, **values):
    """The objects that the chart makes of `values`; tests and all."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        text = run(HELM, "template", "demo", chart, "--kube-version", version, "--values", file.name).stdout
    return [found for found in yaml.safe_load_all(text) if found]


def of_kind(objects, kind):
    return [found for found in objects if found["kind"] == kind]


class PodTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # which unittest sets; it reports each wait for podman

    def pod(self, objects, **how):
        pod = Pod(objects, IMAGES, **how)
        self.addCleanup(pod.remove)
        return pod

    def start(self, objects, **how):
        """Rendered objects as a pod that takes clients."""
        pod = self.pod(objects, **how).start()
        wait_until(lambda: pod.probe("wsproxy", "readinessProbe") == 200, "the pod to be ready")
        return pod

    def metrics(self, pod):
        return Metrics(pod.ask(9090, "/metrics")[1])

    def swap(self, pod, objects):
        """What the kubelet does with a ConfigMap that has changed."""
        [config] = [found for found in of_kind(objects, "ConfigMap") if "wsproxy.yaml" in found["data"]]
        pod.volumes["wsproxy-config"].write(config["data"])

    def reloads(self, pod, result):
        return self.metrics(pod).sum("wsproxy_config_reloads_total", result=result)


async def echo(url, message="hello", **how):
    """The extensions that were agreed, after a message came back."""
    async with websockets.connect(url, **how) as client:
        await client.send(message)
        assert await client.recv() == message
        return [extension.name for extension in client.extensions]
