"""The charts' pods for real: both kinds of sidecar come up, take clients and new configurations, and end without a loss."""

import asyncio
import os
import ssl
import tempfile
import time
import unittest

import websockets
from kubelet import InitFailed, run, wait_until
from pod_case import EXAMPLE, IMAGES, NATIVE, ORDINARY, OURS, PodTest, echo, of_kind, rendered

from harness.authority import Authority
from harness.crowd import Talker, open_all, until

BOTH = (("native", NATIVE), ("ordinary", ORDINARY))
DRAIN = {"delay": "0s", "spread": "1s", "timeout": "15s"}
CLIENTS = 50


class ComesUp(PodTest):
    async def test_in_order_and_locked_down(self):
        for kind, version in BOTH:
            with self.subTest(kind):
                pod = self.start(rendered(version=version))
                self.assertLessEqual(pod.at("wsproxy-check", "ended"), pod.at("wsproxy", "started"))
                if kind == "native":
                    self.assertLess(pod.at("wsproxy", "startup probe"), pod.at("app", "started"))
                self.assertEqual((pod.probe("wsproxy", "livenessProbe"), pod.probe("wsproxy", "readinessProbe")), (200, 200))
                with open(f"/proc/{pod.inspect('wsproxy', '.State.Pid')}/status") as file:
                    status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
                self.assertEqual(status["Uid"].split("\t"), ["65532"] * 4)
                self.assertEqual((int(status["CapEff"], 16), int(status["CapBnd"], 16)), (0, 0))
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
                self.assertEqual(pod.inspect("wsproxy", ".HostConfig.ReadonlyRootfs"), "true")

    async def test_clients_from_outside_get_compression_in_front_of_an_app_that_is_not_ours(self):
        for kind, version in BOTH:
            with self.subTest(kind):
                pod = self.start(rendered(EXAMPLE, version))
                self.assertEqual(await echo(f"ws://{pod.address}:8009/", "from outside, " * 100), ["permessage-deflate"])
                found = self.metrics(pod)
                self.assertEqual(found.sum("wsproxy_handshakes_total", extension="accepted"), 1)
                self.assertLess(found.sum("wsproxy_compression_output_bytes_total"), found.sum("wsproxy_compression_input_bytes_total") / 10)

    async def test_the_test_of_the_chart_passes_and_can_fail(self):
        pod = self.start(rendered())
        [test] = of_kind(rendered(test={"url": f"ws://{pod.address}:8009/"}), "Pod")
        [container] = test["spec"]["containers"]

        def outcome():
            command = ["podman", "run", "--rm", "--network", "host", "--read-only", "--cap-drop=ALL", IMAGES[OURS], *container["args"]]
            return run(*command, check=False)

        self.assertEqual(outcome().returncode, 0)
        run("podman", "kill", pod.name_of(pod.container("app")))
        wait_until(lambda: not pod.is_running("app"), "the app to die")
        self.assertNotEqual(outcome().returncode, 0)


class Configuration(PodTest):
    async def test_a_new_one_is_taken_while_clients_talk_and_a_broken_one_is_not(self):
        pod = self.start(rendered())
        async with websockets.connect(f"ws://{pod.address}:8009/") as client:
            self.swap(pod, rendered(config={"compression": {"level": 3}, "limits": {"max_connections": 77}}))
            await until(lambda: self.reloads(pod, "success") == 1, "the reload")
            self.assertIn("77", pod.ask(9090, "/config")[1])
            broken = rendered()
            broken_map = of_kind(broken, "ConfigMap")[0]
            broken_map["data"]["wsproxy.yaml"] += "\ncompresion: {level: 3}\n"
            self.swap(pod, broken)
            await until(lambda: self.reloads(pod, "failure") == 1, "the refusal")
            self.assertIn("77", pod.ask(9090, "/config")[1])
            self.assertRegex(pod.log("wsproxy"), r'"level":"error".*compresion.*did you mean compression')
            await client.send("still here")
            self.assertEqual(await client.recv(), "still here")
        self.assertEqual(pod.probe("wsproxy", "readinessProbe"), 200)

    async def test_a_broken_one_never_replaces_a_pod_that_works(self):
        working = self.start(rendered())
        objects = rendered()
        of_kind(objects, "ConfigMap")[0]["data"]["wsproxy.yaml"] += "\nlimits: {max_conections: 10}\n"
        with self.assertRaises(InitFailed) as caught:
            self.pod(objects).start()
        self.assertEqual((caught.exception.name, caught.exception.code), ("wsproxy-check", 1))
        self.assertIn("/etc/wsproxy/config/wsproxy.yaml:", caught.exception.log)
        self.assertIn("max_conections", caught.exception.log)
        [deployment] = of_kind(objects, "Deployment")
        self.assertEqual(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0)
        await echo(f"ws://{working.address}:8009/")

    async def test_a_certificate_of_a_secret_and_its_renewal(self):
        with tempfile.TemporaryDirectory() as folder:
            authority = Authority(folder)
            objects = rendered(tls={"enabled": True, "existingSecret": "cert"})
            pod = self.pod(objects, files=[("cert", {"tls.crt": "", "tls.key": ""})])

            def issue(label):
                made = authority.issue("pod", ips=[pod.address], label=label)
                pod.volumes["wsproxy-tls"].write(made.texts())
                return made.der

            context = ssl.create_default_context(cafile=authority.crt)
            first = issue("first")
            pod.start()

            async def shown():
                async with websockets.connect(f"wss://{pod.address}:8009/", ssl=context) as client:
                    await client.send("over TLS")
                    self.assertEqual(await client.recv(), "over TLS")
                    return client.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)

            self.assertEqual(await shown(), first)
            second = issue("second")
            end = time.monotonic() + 20
            while await shown() != second:
                self.assertLess(time.monotonic(), end, "the new certificate is not shown")
                await asyncio.sleep(0.1)


class Ends(PodTest):
    async def talking(self, pod):
        crowd = [Talker(f"ws://{pod.address}:8009", f"/{at}", pause=0.02) for at in range(CLIENTS)]
        await open_all(crowd)
        await until(lambda: all(one.got > 0 for one in crowd), "everybody's first echo")
        return crowd

    async def ended(self, pod, **how):
        crowd = await self.talking(pod)
        await asyncio.to_thread(pod.terminate, **how)
        await asyncio.gather(*(one.wait_closed(20) for one in crowd))
        self.assertEqual([fault for one in crowd for fault in one.faults], [])
        return crowd

    async def test_everybody_is_told_and_the_app_outlives_them(self):
        for chart in (None, EXAMPLE):
            for kind, version in BOTH:
                with self.subTest(f"{kind} {chart and 'app that is not ours'}"):
                    values = {"config": {"drain": DRAIN}} if not chart else {"wsproxy": {"config": {"drain": DRAIN}}}
                    pod = self.start(rendered(*([chart] if chart else []), version=version, **values))
                    app = pod.spec["containers"][0]["name"]
                    crowd = await self.ended(pod)
                    self.assertEqual({one.code for one in crowd}, {1001})
                    last = max(one.closed_at for one in crowd) - pod.began
                    self.assertLess(last, pod.at(app, "SIGTERM") + 0.5, "the app was told to end while clients talked")
                    for name in (app, "wsproxy"):
                        self.assertLess(abs(pod.at(name, f"hook 200 drained: {CLIENTS} connections closed, 0 cut") - last), 1)
                    if kind == "native":
                        self.assertLessEqual(pod.at(app, "ended"), pod.at("wsproxy", "SIGTERM"))
                    self.assertEqual(pod.inspect("wsproxy", ".State.ExitCode"), "0")
                    self.assertLess(pod.at("wsproxy", "ended 0"), 10)

    async def test_an_app_that_is_restarted_alone_leaves_the_proxy_in_service(self):
        """The kubelet calls an app's hook when the app's own liveness probe has failed, too."""
        for kind, version in BOTH:
            with self.subTest(kind):
                pod = self.start(rendered(version=version, app={"livenessProbe": {"tcpSocket": {"port": 8008}}}))
                await asyncio.to_thread(pod.restart, "app")
                self.assertLess(pod.at("app", "hook 200 not draining"), 5)
                self.assertEqual(pod.probe("wsproxy", "readinessProbe"), 200)
                await echo(f"ws://{pod.address}:8009/")

    async def test_without_hooks_a_native_sidecar_is_told_too_late(self):
        """Why the hooks are there: by the time of the sidecar's SIGTERM the app has gone, and its clients with it."""
        pod = self.start(rendered(config={"drain": DRAIN}))
        crowd = await self.ended(pod, hooks=False)
        self.assertEqual({one.code for one in crowd}, {1011})
        self.assertLess(max(one.closed_at for one in crowd) - pod.began, pod.at("wsproxy", "SIGTERM") + 1)


class Memory(PodTest):
    """400 clients with 64 KB each way that nothing repeats, which is 25 MB and more of histories if they may."""

    async def fill(self, pod):
        async def one():
            async with websockets.connect(f"ws://{pod.address}:8009/", max_size=None) as client:
                for _ in range(6):
                    text = os.urandom(8192).hex()
                    await client.send(text)
                    await client.recv()
                await over.wait()

        over = asyncio.Event()
        talks = [asyncio.create_task(one()) for _ in range(400)]
        await asyncio.sleep(0)
        done = 0
        end = time.monotonic() + 60
        while time.monotonic() < end and pod.is_running("wsproxy") and done < 2400:
            await asyncio.sleep(0.2)
            status, text = await asyncio.to_thread(pod.ask, 9090, "/metrics")
            if status == 200:
                done = sum(float(line.split()[1]) for line in text.splitlines()
                           if line.startswith('wsproxy_messages_total{') and 'direction="to_client"' in line)
        over.set()
        await asyncio.gather(*talks, return_exceptions=True)
        return done

    def values(self, budget):
        compression = {"memory": budget, "history": "32KiB", "window_bits": 15, "client_window_bits": 15, "engine": "zlib"}
        return {"config": {"compression": compression}, "resources": {"limits": {"memory": "40Mi"}}}

    async def test_the_budget_keeps_it_alive(self):
        pod = self.start(rendered(**self.values("16MiB")))
        self.assertEqual(await self.fill(pod), 2400)
        self.assertTrue(pod.is_running("wsproxy"))
        given_up = [self.metrics(pod).sum("wsproxy_compression_sacrifices_total", stage=stage)
                    for stage in ("encoders_freed", "histories_shrunk", "histories_dropped", "takeover_refused")]
        self.assertGreater(sum(given_up), 0)
        self.assertEqual(pod.inspect("wsproxy", ".State.OOMKilled"), "false")

    async def test_without_it_the_same_load_is_killed(self):
        objects = rendered(**self.values("16MiB"))
        [config] = of_kind(objects, "ConfigMap")
        config["data"]["wsproxy.yaml"] = config["data"]["wsproxy.yaml"].replace("16MiB", "1GiB")  # which the chart would refuse
        pod = self.start(objects)
        await self.fill(pod)
        self.assertFalse(pod.is_running("wsproxy"))
        self.assertEqual(pod.inspect("wsproxy", ".State.ExitCode"), "137")


if __name__ == "__main__":
    unittest.main()
