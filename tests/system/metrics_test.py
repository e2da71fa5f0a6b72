"""The side port: readiness, and numbers that move while a connection is open (DESIGN section 8)."""

import os
import random
import re
import shutil
import string
import subprocess

from harness import (EchoApp, HttpTest, ManualApp, SystemTest, connect_tcp, free_port, frames, http_head, http_message, main,
                     wait_until)
from harness.tls import TlsTest

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "metrics.md")

NAMES = """
wsproxy_connections_active wsproxy_connections_limit wsproxy_connections_total wsproxy_connection_duration_seconds wsproxy_handshakes_total
wsproxy_handshake_seconds wsproxy_messages_total wsproxy_payload_bytes_total wsproxy_wire_bytes_total
wsproxy_compression_input_bytes_total wsproxy_compression_output_bytes_total wsproxy_compression_seconds_total
wsproxy_compression_bypassed_total wsproxy_compression_memory_bytes wsproxy_compression_level
wsproxy_compression_shared_total wsproxy_compression_memory_limit_bytes wsproxy_compression_sacrifices_total wsproxy_message_size_bytes wsproxy_relay_seconds
wsproxy_observed_messages_total wsproxy_observed_input_bytes_total wsproxy_observed_output_bytes_total
wsproxy_observed_compression_seconds_total wsproxy_observed_bypassed_total wsproxy_observed_seen_messages_total
wsproxy_observed_seen_bytes_total wsproxy_observed_broadcast_total wsproxy_observing_seconds_total
wsproxy_http_requests_total wsproxy_http_body_bytes_total wsproxy_http_request_seconds
wsproxy_closes_total wsproxy_upstream_errors_total wsproxy_rejected_total wsproxy_backpressure_total wsproxy_draining
wsproxy_config_reloads_total wsproxy_config_last_reload_success_timestamp_seconds wsproxy_log_lines_dropped_total
wsproxy_tls_handshakes_total wsproxy_tls_handshake_errors_total
wsproxy_workers wsproxy_build_info process_cpu_seconds_total process_open_fds process_max_fds process_resident_memory_bytes
process_virtual_memory_bytes process_virtual_memory_max_bytes process_threads process_start_time_seconds
""".split()
HISTOGRAMS = {"wsproxy_connection_duration_seconds", "wsproxy_handshake_seconds", "wsproxy_message_size_bytes", "wsproxy_relay_seconds",
              "wsproxy_http_request_seconds"}


class Endpoints(SystemTest):
    def test_live_and_ready_with_an_app(self):
        self.start()
        for path in ("/livez", "/readyz", "/healthz"):
            self.assertEqual(self.proxy.get(path)[0], 200, path)

    def test_ready_follows_the_app(self):
        port = free_port()
        self.start(app_url=f"ws://127.0.0.1:{port}", wait="live")
        for path in ("/readyz", "/healthz"):
            status, reason = self.proxy.get(path)
            self.assertEqual(status, 503, path)
            self.assertRegex(reason.lower(), r"app|connect|upstream")
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        late = ManualApp(("127.0.0.1", port))
        wait_until(lambda: self.proxy.get("/readyz")[0] == 200, "readiness once the app is there")
        late.stop()
        wait_until(lambda: self.proxy.get("/readyz")[0] == 503, "no readiness once it is gone")

    def test_other_paths_and_methods_are_refused(self):
        self.start()
        self.assertEqual(self.proxy.get("/nothing-here")[0], 404)

    def test_the_side_port_survives_junk(self):
        self.start()
        for junk in (b"\x00" * 100 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET /metrics HTTP/1.1\r\n", b"x" * 100_000):
            sock = connect_tcp(("127.0.0.1", self.proxy.admin_port))
            try:
                sock.sendall(junk)
            except OSError:
                pass
            sock.close()
        self.assertEqual(self.proxy.get("/livez")[0], 200)


class Metrics(SystemTest):
    def used(self):
        """A proxy that has seen a bit of everything."""
        self.start(EchoApp(), limits={"allowed_origins": ["https://good.example"], "max_message_size": "64KiB"})
        client = self.echo_client(extensions="permessage-deflate")
        client.send("some text that is long enough to be compressed, some text that is")
        client.read_message()
        client.send(b"short")
        client.read_message()
        self.echo_client(extensions="x-unknown").finish(4001)
        self.echo_client(extensions="permessage-deflate; unknown").send_frame(frames.TEXT, b"\xff")
        refused = self.closing(self.proxy.client())
        refused.ask(fields=[("Origin", "https://evil.example")])
        refused.read_answer()
        return client

    def test_promtool_has_nothing_to_say(self):
        self.assertIsNotNone(shutil.which("promtool"), "promtool is not installed: scripts/install-packages test")
        self.used()
        result = subprocess.run(["promtool", "check", "metrics"], input=self.proxy.metrics().text, capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_every_name_is_there_with_help_and_type(self):
        self.used()
        metrics = self.proxy.metrics()
        for name in NAMES:
            with self.subTest(name):
                self.assertIn(name + ("_count" if name in HISTOGRAMS else ""), metrics.names())
                self.assertRegex(metrics.text, rf"(?m)^# HELP {name} \S")
                self.assertRegex(metrics.text, rf"(?m)^# TYPE {name} (counter|gauge|histogram)$")

    def test_names_are_there_before_anything_has_happened(self):
        self.start()
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.sum("wsproxy_connections_active", listener="public"), 0)
        self.assertEqual(metrics.sum("wsproxy_draining"), 0)
        for extension in ("accepted", "declined", "absent"):
            self.assertEqual(metrics.sum("wsproxy_handshakes_total", extension=extension), 0)
        self.assertEqual(metrics.sum("wsproxy_build_info"), 1)

    def test_the_workers_that_run(self):
        self.start(workers=3)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_workers"), 3)

    def test_messages_and_bytes_move_while_the_connection_is_open(self):
        self.start(EchoApp())
        client = self.echo_client(extensions="permessage-deflate")
        text, wire = "some text that shrinks, " * 40, 0
        for count in range(1, 6):
            client.send(text)
            wire += client.read_message().wire_size
            metrics = self.proxy.metrics()
            self.assertEqual(metrics.sum("wsproxy_connections_active", listener="public"), 1)
            for direction in ("to_client", "to_app"):
                self.assertEqual(metrics.sum("wsproxy_messages_total", direction=direction, type="text"), count)
                self.assertEqual(metrics.sum("wsproxy_messages_total", direction=direction, type="binary"), 0)
                self.assertEqual(metrics.sum("wsproxy_payload_bytes_total", direction=direction), count * len(text))
            self.assertEqual(metrics.sum("wsproxy_wire_bytes_total", direction="to_client", side="client"), wire)
            self.assertEqual(metrics.sum("wsproxy_wire_bytes_total", direction="to_client", side="app"), count * (len(text) + 4))
            self.assertEqual(metrics.sum("wsproxy_compression_input_bytes_total"), count * len(text))
            self.assertLess(metrics.sum("wsproxy_compression_output_bytes_total"), count * len(text) / 3)
        self.assertEqual(metrics.sum("wsproxy_message_size_bytes_count"), 10)
        self.assertGreater(metrics.sum("wsproxy_compression_seconds_total"), 0)
        self.assertGreater(metrics.sum("wsproxy_compression_memory_bytes"), 0)
        self.assertEqual(metrics.sum("wsproxy_handshake_seconds_count"), 1)

    def test_handshakes_are_counted_by_what_became_of_the_extension(self):
        self.start(EchoApp())
        for offer, count in (("permessage-deflate", 3), ("permessage-deflate; unknown", 2), (None, 1)):
            for _ in range(count):
                self.echo_client(extensions=offer)
        metrics = self.proxy.metrics()
        self.assertEqual([metrics.sum("wsproxy_handshakes_total", extension=name) for name in ("accepted", "declined", "absent")], [3, 2, 1])

    def test_closes_are_counted_by_side_and_code_and_connections_by_result(self):
        self.start(EchoApp())
        self.echo_client().finish(1000)
        client = self.echo_client()
        client.send("/close 1001 going")
        self.assertEqual(client.read_close()[0], 1001)
        client.answer_close(1001)
        self.echo_client().finish(4242)
        self.proxy.wait_metric("wsproxy_closes_total", 1, side="client", code="1000")
        self.proxy.wait_metric("wsproxy_closes_total", 1, side="app", code="1001")
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.sum("wsproxy_closes_total", code="4242"), 0, "peers may not add labels")
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the connections to be gone")
        metrics = self.proxy.metrics()
        for side in ("client", "app"):
            self.assertEqual(metrics.sum("wsproxy_closes_total", side=side), 3)
        self.assertEqual(metrics.sum("wsproxy_connections_total", listener="public"), 3)
        self.assertEqual(metrics.sum("wsproxy_connection_duration_seconds_count"), 3)

    def test_without_adaptive_even_what_looks_random_is_tried(self):
        for adaptive, reason in ((True, "incompressible"), (False, "no_gain")):
            with self.subTest(adaptive=adaptive):
                self.start(EchoApp(), compression={"adaptive": adaptive})
                client = self.echo_client(extensions="permessage-deflate")
                client.send(random.Random(1).randbytes(5000))
                client.read_message()
                self.assertEqual(self.proxy.metrics().sum("wsproxy_compression_bypassed_total", reason=reason), 1)

    def test_latency_is_counted_for_each_direction(self):
        self.start(EchoApp())
        client = self.echo_client()
        for _ in range(7):
            client.send("tick")
            client.read_message()
        metrics = self.proxy.metrics()
        for direction in ("to_client", "to_app"):
            self.assertGreaterEqual(metrics.sum("wsproxy_relay_seconds_count", direction=direction), 1)

    def test_the_number_of_series_does_not_follow_what_peers_say(self):
        self.start(EchoApp())
        self.echo_client("/first").finish(3000)
        before = len(self.proxy.metrics().samples)
        for at in range(20):
            self.echo_client(f"/path-{at}", fields=[("User-Agent", f"agent {at}")]).finish(3001 + at)
        self.assertEqual(len(self.proxy.metrics().samples), before)
        self.assertIsNone(re.search(r"path-\d", self.proxy.metrics().text))


class Documentation(TlsTest):
    def test_the_page_has_every_metric_with_its_type_and_labels_and_no_other(self):
        self.start_tls()
        metrics = self.proxy.metrics()
        types = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", metrics.text))
        exported = {}
        for name, kind in types.items():
            samples = {name + suffix for suffix in (("_bucket", "_count", "_sum") if kind == "histogram" else ("",))}
            exported[name] = (kind, {label for sample, labels, _ in metrics.samples if sample in samples for label in labels} - {"le"})
        with open(PAGE) as page:
            rows = re.findall(r"(?m)^\| (`[^|]+`) \| (counter|gauge|histogram) \| ([^|]*)\|", page.read())
        documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for names, kind, labels in rows for name in re.findall(r"`(\w+)`", names)}
        self.assertEqual(documented, exported)


class PlainHttp(HttpTest):
    def test_requests_are_counted_by_class_with_their_bodies_and_their_time(self):
        self.start()
        client = self.client()
        for status, sent, answered in (("200 OK", 1000, 10), ("204 No Content", 0, 0), ("404 Not Found", 50, 2000)):
            self.exchange(http_message.request("/", "PUT", body=b"x" * sent), http_message.answer(status, body=b"y" * answered if answered else None),
                          client=client, to="PUT")
        self.proxy.wait_metric("wsproxy_http_requests_total", 1, code="4xx")
        metrics = self.proxy.metrics()
        self.assertEqual([metrics.sum("wsproxy_http_requests_total", code=f"{hundreds}xx") for hundreds in range(1, 6)], [0, 2, 0, 1, 0])
        self.assertEqual(metrics.sum("wsproxy_http_body_bytes_total", direction="to_app"), 1050)
        self.assertEqual(metrics.sum("wsproxy_http_body_bytes_total", direction="to_client"), 2010)
        self.assertEqual(metrics.sum("wsproxy_http_request_seconds_count"), 3)
        self.assertEqual(metrics.sum("wsproxy_connections_total", result="forwarded"), 1)
        self.assertEqual(metrics.sum("wsproxy_rejected_total") + metrics.sum("wsproxy_upstream_errors_total"), 0)

    def test_a_body_is_counted_while_it_passes(self):
        self.start()
        client = self.client()
        client.send_bytes(b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" + b"x" * 300)
        side = self.closing(self.app.next())
        self.proxy.wait_metric("wsproxy_http_body_bytes_total", 300, direction="to_app")
        self.assertEqual(self.proxy.metrics().sum("wsproxy_http_body_bytes_total", direction="to_app"), 300)
        client.send_bytes(b"x" * 700)
        side.send_bytes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n")
        self.proxy.wait_metric("wsproxy_http_body_bytes_total", 4, direction="to_client")
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.sum("wsproxy_http_body_bytes_total", direction="to_app"), 1000)
        self.assertEqual(metrics.sum("wsproxy_http_requests_total"), 0)
        side.send_bytes(b"3\r\nend\r\n0\r\n\r\n")
        self.proxy.wait_metric("wsproxy_http_requests_total", 1, code="2xx")
        self.assertEqual(self.proxy.metrics().sum("wsproxy_http_body_bytes_total", direction="to_client"), 7)

    def test_what_the_proxy_answers_for_an_app_that_is_away_counts_too(self):
        self.start(app_url=f"ws://127.0.0.1:{free_port()}", wait="live", upstream={"connect_timeout": "50ms"})
        client = self.client()
        client.send_bytes(http_message.request("/"))
        self.assertEqual(client.read_answer("GET").status, 502)
        self.proxy.wait_metric("wsproxy_http_requests_total", 1, code="5xx")


class Reasons(SystemTest):
    def assert_grown(self, before, name, label, expected):
        """The series of that name that have grown since, by this label."""
        values = {labels[label] for sample, labels, _ in before.samples if sample == name}
        after = self.proxy.metrics()
        grown = {value: after.sum(name, **{label: value}) - before.sum(name, **{label: value}) for value in values}
        self.assertEqual({value: by for value, by in grown.items() if by}, expected)

    def test_a_refusal_is_counted_by_its_reason(self):
        self.start(limits={"allowed_origins": ["https://good.example"], "max_header_size": "1KiB"},
                   http={"forward": False})
        cases = {
            "bad_request": (http_head.request(without=["Host"]), 400),
            "not_websocket": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 426),
            "bad_handshake": (http_head.request(without=["Sec-WebSocket-Key"]), 400),
            "header_too_large": (http_head.request(fields=[("X-Pad", "x" * 2000)]), 431),
            "origin": (http_head.request(fields=[("Origin", "https://evil.example")]), 403),
        }
        for reason, (request, status) in cases.items():
            with self.subTest(reason):
                before = self.proxy.metrics()
                client = self.closing(self.proxy.client())
                client.send_bytes(request)
                self.assertEqual(client.read_answer().status, status)
                self.assert_grown(before, "wsproxy_rejected_total", "reason", {reason: 1})
                self.assert_grown(before, "wsproxy_connections_total", "result", {"rejected": 1})
                self.assert_grown(before, "wsproxy_upstream_errors_total", "reason", {})

    def test_a_failure_of_the_app_before_its_101_is_counted_by_its_reason(self):
        self.start(upstream={"response_timeout": "500ms"})
        cases = {
            "response_timeout": (lambda app: None, 504),
            "bad_response": (lambda app: app.send_bytes(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), 502),
            "closed_early": (lambda app: app.close(), 502),
        }
        for reason, (answer, status) in cases.items():
            with self.subTest(reason):
                before = self.proxy.metrics()
                client = self.closing(self.proxy.client())
                client.ask()
                answer(self.closing(self.app.next()))
                self.assertEqual(client.read_answer().status, status)
                self.assert_grown(before, "wsproxy_upstream_errors_total", "reason", {reason: 1})
                self.assert_grown(before, "wsproxy_connections_total", "result", {"upstream_failed": 1})
                self.assert_grown(before, "wsproxy_rejected_total", "reason", {})

    def test_a_failure_of_the_app_after_its_101_is_counted_by_its_reason(self):
        self.start()
        cases = {"lost": lambda app: app.reset(), "protocol": lambda app: app.send_frame(frames.CONTINUATION, b"of nothing")}
        for reason, fail in cases.items():
            with self.subTest(reason):
                before = self.proxy.metrics()
                client, app = self.pair()
                fail(app)
                self.assertEqual(client.read_close()[0], 1011)
                self.assert_grown(before, "wsproxy_upstream_errors_total", "reason", {reason: 1})
                self.assert_grown(before, "wsproxy_connections_total", "result", {"upgraded": 1})

    def test_an_app_that_cannot_be_reached_is_counted(self):
        self.start(app_url=f"ws://127.0.0.1:{free_port()}", wait="live", upstream={"connect_timeout": "100ms"})
        before = self.proxy.metrics()
        client = self.closing(self.proxy.client())
        client.ask()
        self.assertEqual(client.read_answer().status, 502)
        self.assert_grown(before, "wsproxy_upstream_errors_total", "reason", {"connect": 1})
        self.assert_grown(before, "wsproxy_connections_total", "result", {"upstream_failed": 1})

    def test_what_is_no_failure_of_ours_is_counted_by_its_result(self):
        self.start()
        before = self.proxy.metrics()
        client = self.closing(self.proxy.client())
        client.ask()
        self.closing(self.app.next()).send_bytes(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(client.read_answer().status, 403)
        self.assert_grown(before, "wsproxy_connections_total", "result", {"refused_by_app": 1})
        before = self.proxy.metrics()
        self.proxy.client().close()
        self.proxy.wait_metric("wsproxy_connections_total", 1, result="client_gone")
        self.assert_grown(before, "wsproxy_connections_total", "result", {"client_gone": 1})
        for name in ("wsproxy_rejected_total", "wsproxy_upstream_errors_total"):
            self.assertEqual(self.proxy.metrics().sum(name), 0)

    def test_what_is_not_compressed_is_counted_by_its_reason(self):
        self.start(EchoApp())
        client = self.echo_client(extensions="permessage-deflate")
        for reason, sent in (("too_small", "short"), ("incompressible", bytes(range(256)) * 20), ("no_gain", string.ascii_letters)):
            with self.subTest(reason):
                before = self.proxy.metrics()
                client.send(sent)
                self.assertFalse(client.read_message().compressed)
                self.assert_grown(before, "wsproxy_compression_bypassed_total", "reason", {reason: 1})
        for _ in range(50):
            client.send(string.ascii_letters)
            client.read_message()
        self.assertGreater(self.proxy.metrics().sum("wsproxy_compression_bypassed_total", reason="stream"), 10)


if __name__ == "__main__":
    main()
