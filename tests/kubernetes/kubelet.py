"""What the kubelet does with a pod, on podman: as much of it as a sidecar's life depends on.

Init containers one after the other, native sidecars among them, which are waited for by their startup probe; then the containers. Probes
and preStop hooks are HTTP requests from the node's address to the pod's. ConfigMaps are mounted as folders whose `..data` link is swapped.
At the end the hooks of all containers are called at once; each container gets SIGTERM after its own hook has been answered, native sidecars
only after all ordinary containers have ended (kuberuntime_container.go and termination order of KEP-753); at the end of the grace period
SIGKILL.
"""

import http.client
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

_numbers = itertools.count(1)
_workplace = tempfile.TemporaryDirectory()  # podman's conmon leaves a file where it was started when a container runs out of memory


def run(*command, check=True):
    result = subprocess.run(command, capture_output=True, text=True, cwd=_workplace.name)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def wait_until(condition, what, deadline=30):
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s for {what}")
        time.sleep(0.02)


class Network:
    """A network namespace for one pod, and a cable from the node to it: the two have addresses of their own."""

    def __init__(self):
        at = next(_numbers)
        self.name = f"wsproxy-{os.getpid()}-{at}"
        self.node, self.pod = f"10.{200 + os.getpid() % 50}.{at}.1", f"10.{200 + os.getpid() % 50}.{at}.2"
        self.path = f"/run/netns/{self.name}"
        cable = f"ws{os.getpid() % 100000}-{at}"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", f"{cable}n", "type", "veth", "peer", "name", f"{cable}p", "netns", self.name)
        run("ip", "addr", "add", f"{self.node}/30", "dev", f"{cable}n")
        run("ip", "link", "set", f"{cable}n", "up")
        for command in (("addr", "add", f"{self.pod}/30", "dev", f"{cable}p"), ("link", "set", f"{cable}p", "up"), ("link", "set", "lo", "up")):
            run("ip", "-netns", self.name, *command)

    def remove(self):
        run("ip", "netns", "delete", self.name, check=False)


class Volume:
    """A ConfigMap or a Secret as the kubelet mounts it: files are links through `..data`, which a change swaps."""

    def __init__(self, folder, data):
        self.folder = folder
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        self.write(data)
        for name in data:
            os.symlink(os.path.join("..data", name), os.path.join(folder, name))

    def write(self, data):
        version = tempfile.mkdtemp(prefix="..", dir=self.folder)
        os.chmod(version, 0o755)
        for name, text in data.items():
            with open(os.path.join(version, name), "w") as file:
                file.write(text)
            os.chmod(os.path.join(version, name), 0o644)
        link = os.path.join(self.folder, "..data_tmp")
        os.symlink(os.path.basename(version), link)
        before = os.path.join(self.folder, "..data")
        old = os.path.realpath(before) if os.path.islink(before) else None
        os.rename(link, before)
        if old:
            shutil.rmtree(old)


class Pod:
    """Of a list of rendered objects, the first Deployment's. `images` says by which name podman has an image."""

    def __init__(self, objects, images, files=()):
        deployment = next(found for found in objects if found["kind"] == "Deployment")
        self.spec = deployment["spec"]["template"]["spec"]
        self.images = dict(images)
        self.network = Network()
        self.address, self.events, self.began = self.network.pod, [], time.monotonic()
        self._folder = tempfile.mkdtemp(prefix="wsproxy-pod-")
        os.chmod(self._folder, 0o755)
        maps = {("configMap", found["metadata"]["name"]): found["data"] for found in objects if found["kind"] == "ConfigMap"}
        maps.update({("secret", name): data for name, data in files})
        self.volumes = {}
        for volume in self.spec.get("volumes", ()):
            kind, name = next((kind, volume[kind].get("name") or volume[kind].get("secretName")) for kind in ("configMap", "secret") if kind in volume)
            self.volumes[volume["name"]] = Volume(os.path.join(self._folder, volume["name"]), maps[kind, name])

    # containers

    def natives(self):
        return [found for found in self.spec.get("initContainers", ()) if found.get("restartPolicy") == "Always"]

    def running_kinds(self):
        return [*self.natives(), *self.spec["containers"]]

    def container(self, name):
        return next(found for found in [*self.spec.get("initContainers", ()), *self.spec["containers"]] if found["name"] == name)

    def name_of(self, container):
        return f"{self.network.name}-{container['name']}"

    def _options(self, container):
        security = container.get("securityContext", {})
        yield from ("--network", f"ns:{self.network.path}", "--health-interval", "disable", "--security-opt", "no-new-privileges")
        if security.get("readOnlyRootFilesystem"):
            yield "--read-only"
        for capability in security.get("capabilities", {}).get("drop", ()):
            yield f"--cap-drop={capability}"
        if "runAsUser" in security:
            yield from ("--user", f"{security['runAsUser']}:{security['runAsGroup']}")
        for variable in container.get("env", ()):
            yield from ("--env", f"{variable['name']}={variable['value']}")
        for mount in container.get("volumeMounts", ()):
            yield from ("--volume", f"{self.volumes[mount['name']].folder}:{mount['mountPath']}:ro")
        limit = container.get("resources", {}).get("limits", {}).get("memory")
        if limit:
            assert limit.endswith("Mi"), limit
            yield from ("--memory", f"{limit[:-2]}m", "--memory-swap", f"{limit[:-2]}m")

    def create(self, container, *options):
        command = [*options, *self._options(container), self.images[container["image"]], *container.get("args", ())]
        return run("podman", "run", "--name", self.name_of(container), *command, check=False)

    def log(self, name):
        result = run("podman", "logs", self.name_of(self.container(name)), check=False)
        return result.stdout + result.stderr

    def inspect(self, name, what):
        return run("podman", "inspect", "--format", "{{" + what + "}}", self.name_of(self.container(name))).stdout.strip()

    def is_running(self, name):
        return self.inspect(name, ".State.Running") == "true"

    # life

    def start(self):
        """Init containers, then all others. An init container that fails is an AssertionError with its log."""
        for container in self.spec.get("initContainers", ()):
            if container.get("restartPolicy") == "Always":
                self._start(container)
                self._wait_started(container)
            else:
                result = self.create(container, "--rm")
                if result.returncode != 0:
                    raise InitFailed(container["name"], result.returncode, result.stdout + result.stderr)
                self._note("ended", container["name"])
        for container in self.spec["containers"]:
            self._start(container)
        for container in self.spec["containers"]:
            self._wait_started(container)
        return self

    def _start(self, container):
        result = self.create(container, "--detach")
        assert result.returncode == 0, result.stdout + result.stderr
        self._note("started", container["name"])

    def _wait_started(self, container):
        if "startupProbe" in container:
            wait_until(lambda: self.probe(container["name"], "startupProbe") == 200, f"the startup probe of {container['name']}")
            self._note("startup probe", container["name"])

    def probe(self, name, kind):
        """The status that the kubelet's request gets, None without an answer."""
        return self.ask(self._port(name, kind), self.container(name)[kind]["httpGet"]["path"],
                        timeout=self.container(name)[kind].get("timeoutSeconds", 1))[0]

    def _port(self, name, kind):
        port = self.container(name)[kind]["httpGet"]["port"]
        return next((known["containerPort"] for known in self.container(name).get("ports", ()) if known["name"] == port), port)

    def ask(self, port, path, timeout=10):
        connection = http.client.HTTPConnection(self.address, port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"User-Agent": "kube-probe/1.31", "Accept": "*/*", "Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return None, ""
        finally:
            connection.close()

    def terminate(self, *, hooks=True):
        """Returns when all containers have ended; `events` tells in what order, with seconds from the beginning."""
        self.began = time.monotonic()
        end = self.began + self.spec["terminationGracePeriodSeconds"]
        ended = {container["name"]: threading.Event() for container in self.running_kinds()}
        ordinary = [container["name"] for container in self.spec["containers"]]
        threads = []
        for container in self.running_kinds():
            waits_for = [ended[name] for name in ordinary] if container in self.natives() else []
            threads.append(threading.Thread(target=self._terminate, args=(container, end, waits_for, ended[container["name"]], hooks)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _terminate(self, container, end, waits_for, ended, hooks):
        name, hook = container["name"], container.get("lifecycle", {}).get("preStop")
        if hook and hooks:
            status, text = self.ask(hook["httpGet"]["port"], hook["httpGet"]["path"], timeout=max(0.1, end - time.monotonic()))
            self._note(f"hook {status} {text.strip()}", name)
        for other in waits_for:
            other.wait(max(0, end - time.monotonic()))
        self._note("SIGTERM", name)
        run("podman", "kill", "--signal", "TERM", self.name_of(container), check=False)
        while self.is_running(name) and time.monotonic() < end:
            time.sleep(0.05)
        if self.is_running(name):
            self._note("SIGKILL", name)
            run("podman", "kill", self.name_of(container), check=False)
            wait_until(lambda: not self.is_running(name), f"{name} to be killed")
        self._note(f"ended {self.inspect(name, '.State.ExitCode')}", name)
        ended.set()

    def restart(self, name):
        """What follows a liveness probe of this container that has failed: its hook, its end, its next life."""
        container = self.container(name)
        end = time.monotonic() + self.spec["terminationGracePeriodSeconds"]
        self._terminate(container, end, [], threading.Event(), True)
        run("podman", "rm", "--force", "--time", "0", self.name_of(container))
        self._start(container)

    def _note(self, what, name):
        self.events.append((round(time.monotonic() - self.began, 2), name, what))

    def at(self, name, what):
        """When an event was, which begins with `what`."""
        found = [when for when, who, event in self.events if who == name and event.startswith(what)]
        assert found, f"no {what!r} of {name} in {json.dumps(self.events)}"
        return found[0]

    def remove(self):
        for container in [*self.spec["containers"], *self.spec.get("initContainers", ())]:
            run("podman", "rm", "--force", "--ignore", "--time", "0", self.name_of(container), check=False)
        self.network.remove()
        shutil.rmtree(self._folder, ignore_errors=True)


class InitFailed(AssertionError):
    def __init__(self, name, code, log):
        super().__init__(f"{name} ended with {code}:\n{log}")
        self.name, self.code, self.log = name, code, log
