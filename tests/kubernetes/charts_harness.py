"""What the chart suites stand on: charts rendered and taken apart, the tools, the cases of tests/kubernetes/values."""

import functools
import glob
import json
import os
import re
import subprocess
import tempfile
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CHART = os.path.join(ROOT, "helm", "wsproxy")
SIDECAR = os.path.join(ROOT, "helm", "wsproxy-sidecar")
EXAMPLE = os.path.join(ROOT, "helm", "examples", "echo-server")
BINARY = os.environ.get("WSPROXY_BIN", os.path.join(ROOT, "build", "dev", "wsproxy"))
UPDATE = bool(os.environ.get("CHARTS_UPDATE"))

VERSIONS = ("1.25.0", "1.28.0", "1.29.0", "1.31.0", "1.34.0", "1.37.0")
NATIVE, ORDINARY = "1.31.0", "1.28.0"  # what `nativeSidecar: auto` makes of them

renders = 0
counting = threading.Lock()


class Refused(AssertionError):
    """helm did not take the values; the message is what it said."""


def run(*command, **how):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **how)


def output(*command, **how):
    result = run(*command, **how)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}:\n{result.stderr}{result.stdout}")
    return result.stdout


@functools.cache
def tool(name):
    return output(os.path.join(ROOT, "scripts", "go-tool"), name).strip()


def in_parallel(work, items):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


class Unique(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """A key that is there twice is an error, as it is for the API server's strict validation."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{twice} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


@functools.cache
def template(chart, values, version, release, namespace):
    """helm's output; `values` as JSON, so that what was rendered once need not be again."""
    global renders
    with counting:
        renders += 1
    command = [tool("helm"), "template", release, chart, "--kube-version", version, "--namespace", namespace, "--values", "-"]
    result = run(*command, input=values)
    if result.returncode != 0:
        raise Refused(result.stderr)
    return result.stdout


class Rendered:
    def __init__(self, text):
        self.text = text
        self.objects = [found for found in yaml.load_all(text, Unique) if found]

    def of(self, kind):
        return [found for found in self.objects if found["kind"] == kind]

    def one(self, kind, suffix=""):
        """The object of this kind, whose name ends so where there are several."""
        found = [one for one in self.of(kind) if one["metadata"]["name"].endswith(suffix)]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} of kind {kind} *{suffix}, there are {[one['kind'] for one in self.objects]}")
        return found[0]

    @property
    def template(self):
        return self.one("Deployment")["spec"]["template"]

    @property
    def pod(self):
        return self.template["spec"]

    def container(self, name):
        [found] = [one for one in (self.pod.get("initContainers") or []) + self.pod["containers"] if one["name"] == name]
        return found

    @property
    def sidecar(self):
        return self.container("wsproxy")

    @property
    def app(self):
        return self.container("app")

    @property
    def service(self):
        [found] = [one for one in self.of("Service") if not one["metadata"]["name"].endswith("-metrics")]
        return found

    @property
    def config_text(self):
        return self.one("ConfigMap", "-config")["data"]["wsproxy.yaml"]

    @property
    def config(self):
        return yaml.load(self.config_text, Unique)

    def ports(self):
        return {port["name"]: port["containerPort"] for port in self.sidecar["ports"]}


def render(values=None, version=NATIVE, release="demo", namespace="default", chart=CHART):
    return Rendered(template(chart, json.dumps(values or {}), version, release, namespace))


def refusal(values, version=NATIVE, **how):
    """What helm says of values that it must not take."""
    try:
        render(values, version, **how)
    except Refused as refused:
        return str(refused)
    raise AssertionError(f"helm took {values}")


class Case:
    """One of tests/kubernetes/values: `# from: VERSION` there is the oldest Kubernetes it is for, `# golden: VERSION...` what is kept."""

    def __init__(self, path):
        self.name = os.path.splitext(os.path.relpath(path, os.path.join(HERE, "values")))[0]
        self.chart = EXAMPLE if self.name.startswith("echo-server/") else CHART
        text = read(path)
        self.values = yaml.load(text, Unique)
        oldest = re.search(r"^# from: (\S+)$", text, re.M)
        self.versions = [version for version in VERSIONS if not oldest or number(version) >= number(oldest[1])]
        golden = re.search(r"^# golden: (.+)$", text, re.M)
        self.golden = golden[1].split() if golden else [NATIVE]

    def render(self, version=NATIVE):
        return render(self.values, version, chart=self.chart)


def number(version):
    return [int(part) for part in version.split(".")]


@functools.cache
def cases():
    found = [Case(path) for path in sorted(glob.glob(os.path.join(HERE, "values", "**", "*.yaml"), recursive=True))]
    assert len(found) > 20, "the cases of tests/kubernetes/values are not found"
    return found


@functools.cache
def certificate():
    """A certificate's file and its key's, in a folder that lives as long as the suites do."""
    folder = tempfile.TemporaryDirectory()
    paths = os.path.join(folder.name, "tls.crt"), os.path.join(folder.name, "tls.key")
    output(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=demo",
        "-days",
        "2",
        "-out",
        paths[0],
        "-keyout",
        paths[1],
    )
    return *paths, folder


class ChartTest(unittest.TestCase):
    maxDiff = None
