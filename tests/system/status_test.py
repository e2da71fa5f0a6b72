"""GET /status: the data of the status page, against a proxy that carries real traffic (docs/status.md)."""

import http.client
import json
import os
import random
import resource
import subprocess
import sys
import threading
import time

from harness import DEADLINE, Client, EchoApp, SystemTest, free_port, http_head, main, wait_until
from harness.reload import ReloadTest

OFFER = "permessage-deflate; client_max_window_bits"
TEXT = "some text that shrinks, some text that shrinks, " * 20
TOTALS = ("messages_to_client", "messages_to_app", "payload_to_client", "payload_to_app", "wire_to_client", "wire_to_app")
SAMPLE = {"seq", "time", "connections", "messages_to_client", "messages_to_app", "wire_to_client", "wire_to_app", "payload_to_client",
          "payload_to_app", "saved", "compress_cpu", "memory", "p50", "p99"}
FIELDS = {"version", "time", "started", "state", "ready", "drain", "workers", "log_level", "upstream", "config_loaded", "config_reloads",
          "connections", "handshakes", "rejected", "upstream_errors", "traffic", "compression", "latency", "closes", "tls", "listeners",
          "routes", "peers", "history", "config"}


class StatusTest(SystemTest):
    def status(self, query=""):
        status, text = self.proxy.get("/status" + query)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def talk(self, client, times=1, text=TEXT):
        for _ in range(times):
            client.send(text)
            self.assertEqual(client.read_message().text, text)

    def row(self, table, name, status=None):
        rows = [row for row in (status or self.status())[table] if row["name"] == name]
        self.assertEqual(len(rows), 1, name)
        return rows[0]

    def wait_samples(self, count, after=0):
        def there():
            history = self.status(f"?since={after}")["history"]
            return history if len(history["samples"]) >= count else None
        return wait_until(there, f"{count} samples after {after}", 2 * DEADLINE)

    def wait_peers(self, condition, what):
        """The tables of connections are looked at every two seconds at most."""
        return wait_until(lambda: condition(peers := self.status()["peers"]) and peers, what)


class Figures(StatusTest):
    def test_a_proxy_that_has_done_nothing(self):
        before = time.time()
        self.start_echo(workers=2)
        status = self.status()
        self.assertEqual(set(status), FIELDS)
        self.assertEqual((status["state"], status["ready"], status["drain"]), ("serving", {"ok": True, "reason": ""}, None))
        self.assertEqual((status["workers"], status["log_level"], status["upstream"]), (2, "info", self.app.url))
        self.assertAlmostEqual(status["time"], time.time(), delta=5)
        for name in ("started", "config_loaded"):
            self.assertAlmostEqual(status[name], before, delta=10, msg=name)
        self.assertEqual(status["connections"]["active"], 0)
        self.assertEqual(status["connections"]["limit"], 10000)
        self.assertEqual((status["rejected"], status["upstream_errors"]), ({}, {}))
        self.assertEqual(status["latency"], {d: {"p50": None, "p99": None} for d in ("to_client", "to_app")})
        self.assertEqual([row["name"] for row in status["listeners"] + status["routes"]], ["public", "default"])
        self.assertEqual(status["compression"]["mode"], "compress")
        self.assertIn("max_connections: 10000", status["config"])

    def test_ready_follows_readyz_with_its_reason(self):
        self.start(app_url=f"ws://127.0.0.1:{free_port()}", wait="live")
        status, reason = self.proxy.get("/readyz")
        self.assertEqual(status, 503)
        self.assertEqual(self.status()["ready"], {"ok": False, "reason": reason.strip()})

    def test_every_figure_agrees_with_metrics(self):
        self.start(EchoApp(), workers=2, limits={"allowed_origins": ["https://good.example"]})
        clients = [self.echo_client(extensions=OFFER) for _ in range(4)]
        for client in clients:
            self.talk(client, 3)
            client.send(b"short")
            client.read_message()
        self.echo_client(extensions="x-unknown").finish(4001)
        self.echo_client(extensions="permessage-deflate; unknown").finish(1000)
        refused = self.closing(self.proxy.client())
        refused.ask(fields=[("Origin", "https://evil.example")])
        refused.read_answer()
        clients.pop().finish(1000)
        broken = self.echo_client()
        broken.send("/vanish")
        broken.read_close()
        broken.answer_close(1011)
        self.proxy.wait_metric("wsproxy_connection_duration_seconds_count", 5)

        status, metrics = self.status(), self.proxy.metrics()
        self.assertEqual(status["connections"]["active"], metrics.sum("wsproxy_connections_active"))
        self.assertEqual(status["connections"]["active"], 3)
        for result, count in status["connections"]["results"].items():
            self.assertEqual(count, metrics.sum("wsproxy_connections_total", result=result), result)
        for outcome, count in status["handshakes"].items():
            self.assertEqual(count, metrics.sum("wsproxy_handshakes_total", extension=outcome), outcome)
        self.assertEqual(status["handshakes"], {"accepted": 4, "declined": 1, "absent": 2})
        self.assertEqual(status["rejected"], {"origin": 1})
        self.assertEqual(metrics.sum("wsproxy_rejected_total"), 1)
        self.assertEqual(status["upstream_errors"], {"lost": 1})
        for direction, figures in status["traffic"].items():
            self.assertEqual(figures["messages"], metrics.sum("wsproxy_messages_total", direction=direction))
            self.assertEqual(figures["payload_bytes"], metrics.sum("wsproxy_payload_bytes_total", direction=direction))
            self.assertEqual(figures["wire_bytes"], metrics.sum("wsproxy_wire_bytes_total", direction=direction, side="client"))
        self.assertEqual(status["traffic"]["to_app"]["messages"], 17)
        for side, codes in status["closes"].items():
            for code, count in codes.items():
                self.assertEqual(count, metrics.sum("wsproxy_closes_total", side=side, code=code), (side, code))
            self.assertEqual(sum(codes.values()), metrics.sum("wsproxy_closes_total", side=side))
        self.assertEqual(status["closes"]["client"], {"1000": 2, "1011": 1, "other": 1})
        self.assert_compression_agrees(status["compression"], metrics)

    def assert_compression_agrees(self, compression, metrics):
        for field, name in (("input_bytes", "wsproxy_compression_input_bytes_total"), ("output_bytes", "wsproxy_compression_output_bytes_total"),
                            ("shared", "wsproxy_compression_shared_total"), ("memory_limit_bytes", "wsproxy_compression_memory_limit_bytes"),
                            ("level", "wsproxy_compression_level")):
            self.assertEqual(compression[field], metrics.sum(name), field)
        for operation in ("compress", "decompress"):
            self.assertAlmostEqual(compression[operation + "_seconds"], metrics.sum("wsproxy_compression_seconds_total", operation=operation), places=6)
        for reason, count in compression["bypassed"].items():
            self.assertEqual(count, metrics.sum("wsproxy_compression_bypassed_total", reason=reason), reason)
        self.assertEqual(compression["bypassed"]["too_small"], 4)
        self.assertEqual(compression["input_bytes"], 12 * len(TEXT))
        self.assertEqual(compression["saved_bytes"], compression["input_bytes"] - compression["output_bytes"])
        self.assertAlmostEqual(compression["ratio"], compression["output_bytes"] / compression["input_bytes"])
        self.assertLess(compression["ratio"], 0.5)
        self.assertAlmostEqual(compression["cpu_seconds_per_gb_saved"], compression["compress_seconds"] / compression["saved_bytes"] * 1e9)
        self.assertGreater(compression["memory_bytes"], 0)

    def test_latency_is_that_of_messages_by_direction(self):
        self.start_echo()
        client = self.echo_client(extensions=OFFER)
        self.talk(client, 20)
        status = self.status()
        for figures in [*status["latency"].values(), self.row("listeners", "public", status), self.row("routes", "default", status)]:
            self.assertGreater(figures["p50"], 0)
            self.assertGreaterEqual(figures["p99"], figures["p50"])
            self.assertLessEqual(figures["p99"], 1)

    def test_modes_of_compression(self):
        self.start_echo(compression={"enabled": False})
        self.assertEqual(self.status()["compression"]["mode"], "off")


class Tables(StatusTest):
    def start_two_by_three(self):
        self.other = EchoApp()
        self.addCleanup(self.other.stop)
        self.ports = {"public": free_port(), "inside": free_port()}
        self.start(EchoApp(), workers=2,
                   listeners=[{"name": name, "address": f"127.0.0.1:{port}"} for name, port in self.ports.items()],
                   routes=[{"name": "named", "match": {"path": "/named/"}, "upstream": {"url": self.other.url}},
                           {"match": {"path": "/x/"}, "upstream": {"url": self.other.url}}])

    def guest(self, listener, path):
        return self.closing(Client(("127.0.0.1", self.ports[listener]))).open(path, extensions=OFFER)

    def test_each_listener_and_each_route_has_its_own_figures(self):
        self.start_two_by_three()
        plan = [("public", "/", 1), ("public", "/named/a", 2), ("inside", "/named/b", 4), ("inside", "/x/", 8), ("inside", "/", 16)]
        for listener, path, times in plan:
            self.talk(self.guest(listener, path), times)
        self.guest("inside", "/x/gone").finish(1000)
        self.proxy.wait_metric("wsproxy_connection_duration_seconds_count", 1)

        status, metrics = self.status(), self.proxy.metrics()
        messages = {"public": 3, "inside": 28, "default": 17, "named": 6, "/x/": 8}
        counts = {"public": (2, 2), "inside": (3, 4), "default": (2, 2), "named": (2, 2), "/x/": (1, 2)}
        for table, names in (("listeners", ["public", "inside"]), ("routes", ["default", "named", "/x/"])):
            self.assertEqual([row["name"] for row in status[table]], names)
            for row in status[table]:
                with self.subTest(row["name"]):
                    sent = messages[row["name"]]
                    self.assertEqual((row["active"], row["total"]), counts[row["name"]])
                    self.assertEqual((row["messages_to_client"], row["messages_to_app"]), (sent, sent))
                    self.assertEqual((row["payload_to_client"], row["payload_to_app"]), (sent * len(TEXT), sent * len(TEXT)))
                    self.assertAlmostEqual(row["ratio"], row["wire_to_client"] / row["payload_to_client"])
                    self.assertTrue(0 < row["ratio"] < 0.5)
                    self.assertGreater(row["p99"], 0)
            for field in TOTALS:
                kind, _, direction = field.partition("_")
                name, labels = {"messages": ("messages", {}), "payload": ("payload_bytes", {}), "wire": ("wire_bytes", {"side": "client"})}[kind]
                total = metrics.sum(f"wsproxy_{name}_total", direction=direction, **labels)
                self.assertEqual(sum(row[field] for row in status[table]), total, (table, field))
        self.assertEqual([row["address"] for row in status["listeners"]], [f"127.0.0.1:{port}" for port in self.ports.values()])
        self.assertEqual([row["upstream"] for row in status["routes"]], [self.app.url, self.other.url, self.other.url])

    def test_the_largest_connections_are_in_order_and_at_most_ten(self):
        self.start_echo(workers=2)
        clients = [self.echo_client(f"/{at}?token=secret", extensions=OFFER) for at in range(14)]
        order = list(range(14))
        random.Random(3).shuffle(order)
        for at in order:
            self.talk(clients[at], 1 + at)
        peers = self.wait_peers(lambda peers: len(peers["largest"]) == 10 and peers["largest"][0]["messages_to_app"] == 14, "all to be told")
        self.assertEqual([row["path"] for row in peers["largest"]], [f"/{at}" for at in range(13, 3, -1)])
        self.assertEqual(peers["open"], 14)
        self.assertEqual(peers["slowest"], [])
        row, client = peers["largest"][0], clients[13]
        self.assertEqual(row["client"], "{}:{}".format(*client.sock.getsockname()))
        self.assertEqual((row["listener"], row["route"], row["paused"]), ("public", "default", False))
        self.assertEqual((row["payload_to_client"], row["payload_to_app"]), (14 * len(TEXT), 14 * len(TEXT)))
        self.assertAlmostEqual(row["ratio"], row["wire_to_client"] / row["payload_to_client"])
        self.assertAlmostEqual(row["since"], time.time(), delta=20)
        for client in clients[4:]:
            client.finish(1000)
        peers = self.wait_peers(lambda peers: peers["open"] == 4, "ten to be gone")
        self.assertEqual([row["path"] for row in peers["largest"]], ["/3", "/2", "/1", "/0"])

    def test_a_client_that_does_not_read_is_the_slowest(self):
        self.start_echo(workers=1)
        self.talk(self.echo_client("/reads"))
        client = self.closing(self.proxy.client(receive_buffer=65536)).open("/does-not-read")
        client.send("/feed 3000 " + os.urandom(3000).hex())
        peers = self.wait_peers(lambda peers: [row for row in peers["slowest"] if row["paused"]], "the app to be held up")
        self.assertEqual([row["path"] for row in peers["slowest"]], ["/does-not-read"])
        row = peers["slowest"][0]
        self.assertGreater(row["queued_to_client"], 100_000)
        self.assertLessEqual(row["queued_to_client"], 2 << 20)
        self.assertEqual(row["queued_to_app"], 0)
        for _ in range(3000):
            client.read_message()
        self.wait_peers(lambda peers: not peers["slowest"], "nobody to be slow")

    def test_texts_of_peers_do_no_harm(self):
        self.start_echo()
        nasty = "/'><script>alert(1)</script>&quot;%22%0a"
        clients = [self.closing(self.proxy.client()) for _ in range(2)]
        for client, path in zip(clients, [nasty.encode(), b"/" + b"y" * 1000]):
            client.send_bytes(http_head.request("/PATH").replace(b"/PATH", path))
            self.assertEqual(client.read_answer().status, 101)
        peers = self.wait_peers(lambda peers: len(peers["largest"]) == 2, "both to be told")
        self.assertEqual({row["path"] for row in peers["largest"]}, {nasty, "/" + "y" * 255})
        kind, body = self.raw("/status")
        self.assertEqual(kind["Content-Type"], "application/json")
        self.assertEqual(kind["X-Content-Type-Options"], "nosniff")
        self.assertNotIn(b"<script>", body)

    def raw(self, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.admin_port, timeout=DEADLINE)
        self.addCleanup(connection.close)
        connection.request(method, path)
        answer = connection.getresponse()
        self.status_code = answer.status
        return dict(answer.getheaders()), answer.read()


class Changes(ReloadTest, StatusTest):
    def test_a_removed_route_has_a_row_until_its_last_connection_has_gone(self):
        other = EchoApp()
        self.addCleanup(other.stop)
        self.start(EchoApp(), workers=2, routes=[{"name": "old", "match": {"path": "/old/"}, "upstream": {"url": other.url}}])
        client = self.echo_client("/old/")
        self.talk(client, 3)
        self.write(self.text_with({"routes": []}))
        wait_until(lambda: self.status()["config_reloads"]["success"] == 1, "the reload")
        self.talk(client, 2)
        row = self.row("routes", "old")
        self.assertEqual((row["upstream"], row["active"], row["messages_to_app"]), ("", 1, 5))
        client.finish(1000)
        wait_until(lambda: [row["name"] for row in self.status()["routes"]] == ["default"], "the row to go")
        status = self.status()
        self.assertEqual(status["traffic"]["to_app"]["messages"], 5)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_messages_total", direction="to_app"), 5)
        self.assertEqual(self.row("routes", "default", status)["total"], 0)

    def test_a_drain_is_told_while_it_lasts_and_afterwards(self):
        self.start_echo(workers=2, drain={"timeout": "30s"})
        client = self.echo_client()
        self.assertIsNone(self.status()["drain"])
        begun = time.time()
        waiting = threading.Thread(target=self.proxy.get, args=("/drain",))
        waiting.start()
        status = wait_until(lambda: (now := self.status())["state"] == "closing" and now, "the drain")
        self.assertEqual(status["ready"], {"ok": False, "reason": "draining"})
        self.assertEqual((status["drain"]["at_start"], status["drain"]["left"]), (1, 1))
        self.assertAlmostEqual(status["drain"]["since"], begun, delta=5)
        self.assertAlmostEqual(status["drain"]["ends"] - status["drain"]["since"], 30, delta=0.1)
        client.read_close()
        client.answer_close(1001)
        waiting.join(DEADLINE)
        status = self.status()
        self.assertEqual((status["state"], status["drain"]["left"], status["ready"]["ok"]), ("drained", 0, False))


class History(StatusTest):
    def test_it_grows_by_what_happened(self):
        self.start_echo(workers=2)
        client = self.echo_client(extensions=OFFER)
        last = self.wait_samples(1)["seq"]
        self.talk(client, 50)
        history = self.wait_samples(3, last)
        self.assertEqual(history["interval"], 2.0)
        samples = history["samples"]
        self.assertEqual([sample["seq"] for sample in samples], list(range(last + 1, history["seq"] + 1)))
        for sample in samples:
            self.assertEqual(set(sample), SAMPLE)
        self.assertEqual(samples[-1]["connections"], 1)
        steps = [after["time"] - before["time"] for before, after in zip(samples, samples[1:])]
        for step in steps:
            self.assertAlmostEqual(step, 2, delta=1)

        def of_interval(field):
            return sum(sample[field] for sample in samples) * 2
        for direction in ("client", "app"):
            self.assertAlmostEqual(of_interval(f"messages_to_{direction}"), 50, delta=10)
            self.assertAlmostEqual(of_interval(f"payload_to_{direction}"), 50 * len(TEXT), delta=10 * len(TEXT))
        compression = self.status()["compression"]
        self.assertAlmostEqual(of_interval("saved"), compression["saved_bytes"], delta=0.2 * compression["saved_bytes"])
        self.assertGreater(of_interval("compress_cpu"), 0)
        self.assertGreater(samples[-1]["memory"], 0)
        busy = [sample for sample in samples if sample["messages_to_app"]]
        idle = [sample for sample in samples if not sample["messages_to_app"]]
        self.assertTrue(busy and idle)
        self.assertTrue(all(0 < sample["p50"] <= sample["p99"] for sample in busy))
        self.assertTrue(all(sample["p50"] is None and sample["p99"] is None for sample in idle))

    def test_since_leaves_out_what_is_known(self):
        self.start_echo()
        history = self.wait_samples(2)
        known = history["samples"][0]["seq"]
        self.assertEqual(self.status(f"?since={known}")["history"]["samples"][0]["seq"], known + 1)
        self.assertEqual(self.status("?since=999999999")["history"]["samples"], [])
        self.assertEqual(self.status("?other=1&since=0")["history"]["samples"][0]["seq"], 1)

    def test_it_does_not_keep_the_process_from_stopping(self):
        self.start_echo(workers=2)
        self.wait_samples(1)
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)


class Requests(StatusTest):
    raw = Tables.raw

    def test_what_is_malformed_is_refused(self):
        self.start_echo()
        for since in ("x", "-1", "1.5", "1e3", "%31", "99999999999999999999", "1%20"):
            self.assertEqual(self.proxy.get(f"/status?since={since}")[0], 400, since)
        for path in ("/status/", "/Status", "/statu"):
            self.assertEqual(self.proxy.get(path)[0], 404, path)

    def test_it_only_looks(self):
        self.start_echo()
        for method, status in (("GET", 200), ("HEAD", 200), ("POST", 405), ("PUT", 405), ("DELETE", 405)):
            fields, body = self.raw("/status", method)
            self.assertEqual(self.status_code, status, method)
            if method == "HEAD":
                self.assertEqual((fields["Content-Type"], body), ("application/json", b""))
            if status == 405:
                self.assertIn("GET", fields["Allow"])


# Another process, which asks once for each line that it is given.
POLLER = """
import http.client, json, sys, time
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
worst = 0
print("ready", flush=True)
for _ in sys.stdin:
    begun = time.monotonic()
    connection.request("GET", "/status")
    status = json.loads(connection.getresponse().read())
    worst = max(worst, time.monotonic() - begun)
print(json.dumps({"worst": worst, "open": status["peers"]["open"], "rows": len(status["peers"]["largest"])}))
"""


class Polling(StatusTest):
    IDLE, ROUNDS, POLLS, EVERY_S = 5000, 3, 10, 0.2

    def echo_times(self, client, meanwhile=lambda: None):
        """The 99th percentile of echoes one after the other; POLLS times among them comes `meanwhile`."""
        times = []
        for _ in range(self.POLLS):
            meanwhile()
            end = time.monotonic() + self.EVERY_S
            while time.monotonic() < end:
                begun = time.perf_counter()
                client.send("tick tock")
                client.read_message()
                times.append(time.perf_counter() - begun)
        return sorted(times)[len(times) * 99 // 100]

    def echo_times_polled(self, client):
        with subprocess.Popen([sys.executable, "-c", POLLER, str(self.proxy.admin_port)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as poller:
            self.assertEqual(poller.stdout.readline(), "ready\n")

            def poll():
                poller.stdin.write("poll\n")
                poller.stdin.flush()
            times = self.echo_times(client, poll)
            return times, json.loads(poller.communicate(timeout=60)[0])

    def test_polling_disturbs_no_message_while_many_connections_are_open(self):
        self.skip_when_sanitized()
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        port = free_port()
        self.command("echo", "--port", str(port)).wait_for_line("echo")
        self.start(app_url=f"ws://127.0.0.1:{port}", workers=1, log={"access": False}, limits={"max_connections": 10000})
        for _ in range(self.IDLE):
            self.echo_client()
        client = self.echo_client()
        self.echo_times(client)
        ratios = []
        for _ in range(self.ROUNDS):
            alone = self.echo_times(client)
            polled, told = self.echo_times_polled(client)
            self.assertEqual((told["open"], told["rows"]), (self.IDLE + 1, 10))
            ratios.append(polled / alone)
        # A median, and much more than there is to see: this machine has others to serve.
        self.assertLess(sorted(ratios)[self.ROUNDS // 2], 2.5, ratios)
        if os.environ.get("WSPROXY_SHOW"):
            print(ratios, told)


if __name__ == "__main__":
    main()
