"""What a reload changes for whom: new connections get the new, open ones keep what they had (DESIGN section 7)."""

import os

from harness import EchoApp, HttpApp, HttpClient, ManualApp, NamedApp, frames, http_message, main, wait_until
from harness.reload import ReloadTest

OFFER = "permessage-deflate; client_max_window_bits"
WORDS = "words that shrink well, " * 50


class OpenConnections(ReloadTest):
    def test_keep_their_limits(self):
        self.start_echo()
        old = self.echo_client()
        self.reload(limits={"max_message_size": "1KiB"})
        self.assert_echoes(old, "x" * 100_000)
        new = self.echo_client()
        self.assert_echoes(new, "x" * 1024)
        new.send("x" * 1025)
        self.assertEqual(new.read_close()[0], 1009)
        self.restore()
        self.assert_echoes(old)
        self.assert_echoes(self.echo_client(), "x" * 100_000)

    def test_keep_their_compression(self):
        self.start_echo()
        old = self.echo_client(extensions=OFFER)
        self.assert_echoes(old, WORDS)
        self.reload(compression={"enabled": False})
        for at in range(20):
            old.send(f"{at} {WORDS}")
            message = old.read_message()
            self.assertEqual((message.text, message.compressed), (f"{at} {WORDS}", True))
        self.assertIsNone(self.echo_client(extensions=OFFER).agreed)
        self.reload(compression={"level": 1, "window_bits": 10, "history": "512B"})
        new = self.echo_client(extensions=OFFER + "; server_max_window_bits=15")
        self.assertEqual(new.agreed.server_bits, 10)
        for client in (old, new, old, new):
            self.assert_echoes(client, WORDS)

    def test_keep_their_app(self):
        first, second = NamedApp("first"), NamedApp("second")
        self.addCleanup(second.stop)
        self.start(first)
        old = self.echo_client()
        self.reload(upstream={"url": second.url})
        self.assert_echoes(old)
        new = self.echo_client()
        self.assertEqual((old.answer.get("X-App"), new.answer.get("X-App")), ("first", "second"))
        self.assert_echoes(new)
        self.assertEqual(self.proxy.get("/readyz")[0], 200)

    def test_a_message_in_the_middle_goes_on(self):
        self.start()
        client, app = self.deflated_pair()
        packed = client.compressor.compress(os.urandom(50_000))
        client.send_frame(frames.BINARY, packed[:1000], fin=False, rsv=frames.RSV1)
        app.send_frame(frames.TEXT, b"first half, ", fin=False)
        self.reload(limits={"max_message_size": "1KiB"}, compression={"enabled": False}, timeouts={"ping_interval": "100s"})
        client.send_frame(frames.CONTINUATION, packed[1000:])
        self.assertEqual(len(app.read_message().data), 50_000)
        app.send_frame(frames.CONTINUATION, b"second half")
        self.assertEqual(client.read_message().text, "first half, second half")

    def test_a_handshake_under_way_goes_to_the_app_that_it_was_for(self):
        self.start()
        second = NamedApp("second")
        self.addCleanup(second.stop)
        client = self.closing(self.proxy.client())
        client.ask()
        app = self.app.next()
        self.reload(upstream={"url": second.url})
        self.closing(app.accept())
        self.assertEqual(client.read_answer().status, 101)
        client.send("to the first")
        self.assertEqual(app.read_message().text, "to the first")

    def test_keep_counting_against_the_limits(self):
        self.start_echo(limits={"max_connections_per_ip": 2})
        kept = [self.echo_client(), self.echo_client()]
        self.reload(limits={"max_connections_per_ip": 3})
        kept.append(self.echo_client())
        self.assertIn(self.rejects_with(), (429, 503))
        self.reload(limits={"max_connections_per_ip": 1})
        for client in kept:
            self.assert_echoes(client)
            client.finish()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "them to be gone")
        self.assert_echoes(self.echo_client())
        self.assertIn(self.rejects_with(), (429, 503))


class NewConnections(ReloadTest):
    def test_the_number_of_connections(self):
        self.start_echo()
        client = self.echo_client()
        self.reload(limits={"max_connections": 1})
        self.assertEqual(self.rejects_with(), 503)
        self.reload(limits={"max_connections": 5})
        self.assert_echoes(self.echo_client())
        self.assert_echoes(client)

    def test_origins(self):
        self.start_echo()
        evil = [("Origin", "https://evil.example")]
        self.echo_client(fields=evil).finish()
        self.reload(limits={"allowed_origins": ["https://good.example"]})
        self.assertEqual(self.rejects_with(fields=evil), 403)
        self.echo_client(fields=[("Origin", "https://good.example")]).finish()
        self.restore()
        self.echo_client(fields=evil).finish()

    def test_timeouts(self):
        self.start_echo(timeouts={"ping_interval": "0s", "handshake": "1h"})
        self.reload(timeouts={"ping_interval": "100ms", "handshake": "100ms"})
        self.echo_client().read_control(frames.PING)
        slow = self.closing(self.proxy.client())
        slow.send_bytes(b"GET / HTTP/1.1\r\n")
        slow.read_to_end()

    def test_routes_and_headers(self):
        routed = NamedApp("routed")
        self.addCleanup(routed.stop)
        self.start(NamedApp("upstream"))
        spoofed = [("X-Forwarded-For", "203.0.113.9")]
        self.assertEqual(self.echo_client("/chat/1", fields=spoofed).answer.get("X-App"), "upstream")
        self.assertNotIn("203.0.113.9", self.app.requests[-1].get("X-Forwarded-For"))
        self.reload(routes=[{"match": {"path": "/chat/"}, "upstream": {"url": routed.url}}], headers={"trusted_proxies": ["127.0.0.0/8"]})
        self.assertEqual(self.echo_client("/chat/1", fields=spoofed).answer.get("X-App"), "routed")
        self.assertIn("203.0.113.9", routed.requests[-1].get("X-Forwarded-For"))
        self.assertEqual(self.echo_client("/other").answer.get("X-App"), "upstream")
        self.restore()
        self.assertEqual(self.echo_client("/chat/1").answer.get("X-App"), "upstream")

    def test_readiness_looks_at_the_new_app(self):
        gone = ManualApp()
        gone.stop()
        self.start_echo()
        self.reload(upstream={"url": gone.url})
        wait_until(lambda: self.proxy.get("/readyz")[0] == 503, "readiness to see that the new app is not there")
        self.restore()
        wait_until(lambda: self.proxy.get("/readyz")[0] == 200, "readiness to see the old one")

    def test_how_it_drains(self):
        self.start_echo(drain={"close_code": 1001, "timeout": "60s", "spread": "60s"})
        client = self.echo_client()
        self.reload(drain={"close_code": 1012, "spread": "0s"})
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1012)
        client.answer_close(1012)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_the_log(self):
        self.start_echo()
        self.echo_client("/first").finish()
        self.proxy.access_line("/first")
        self.reload(log={"access": False})
        self.echo_client("/unseen").finish()
        self.reload(log={"access": True, "level": "debug"})
        self.echo_client("/second").finish()
        self.proxy.access_line("/second")
        self.assertNotIn("/unseen", "\n".join(self.proxy.lines))
        self.proxy.wait_for_line('"message":"log level changed"')
        before = self.write(self.text_with({"log": {"level": "error"}}))
        wait_until(lambda: "level: error" in self.proxy.get("/config")[1], "the level to be taken over")
        self.echo_client("/silence").finish()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the connection to be gone")
        self.restore()
        wait_until(lambda: "level: info" in self.proxy.get("/config")[1], "the level to be taken over")
        self.echo_client("/loud").finish()
        self.proxy.access_line("/loud")
        self.assertNotIn("/silence", "\n".join(self.proxy.lines))
        self.assertGreaterEqual(len(self.proxy.lines), before)


class PlainHttp(ReloadTest):
    def ask(self, client, target):
        return client.ask(target).read_answer().head.get("X-App")

    def test_a_kept_connection_gets_the_new_routes_with_its_next_request(self):
        routed = NamedApp("routed")
        self.addCleanup(routed.stop)
        self.start(NamedApp("upstream"))
        client = self.closing(HttpClient(("127.0.0.1", self.proxy.port)))
        self.assertEqual(self.ask(client, "/api/1"), "upstream")
        self.reload(routes=[{"match": {"path": "/api/"}, "upstream": {"url": routed.url}}])
        self.assertEqual(self.ask(client, "/api/2"), "routed")
        self.assertEqual(self.ask(client, "/else"), "upstream")
        self.restore()
        self.assertEqual(self.ask(client, "/api/3"), "upstream")
        self.reload(upstream={"url": routed.url})
        self.assertEqual(self.ask(client, "/else"), "routed")

    def test_a_request_under_way_gets_its_answer_from_where_it_went(self):
        second = NamedApp("second")
        self.addCleanup(second.stop)
        self.start(HttpApp())
        client = self.closing(HttpClient(("127.0.0.1", self.proxy.port)))
        client.send_bytes(http_message.request("/slow", "POST", body=b"x" * 1000)[:-500])
        side = self.app.next()
        self.reload(upstream={"url": second.url})
        client.send_bytes(b"x" * 500)
        self.assertEqual(side.body().data, b"x" * 1000)
        side.answer(body=b"from the first")
        self.assertEqual(client.read_answer("POST").data, b"from the first")
        self.assertEqual(self.ask(client, "/next"), "second")

    def test_a_proxy_that_is_no_longer_trusted_is_a_client_like_any(self):
        self.start(NamedApp("upstream"), headers={"trusted_proxies": ["127.0.0.0/8"]}, limits={"max_connections_per_ip": 1})
        clients = [self.closing(HttpClient(("127.0.0.1", self.proxy.port))) for _ in range(2)]
        for at, client in enumerate(clients):
            self.assertEqual(client.ask("/", fields=[("X-Forwarded-For", f"203.0.113.{at}")]).read_answer().status, 200)
        self.reload(headers={"trusted_proxies": []})
        self.assertEqual([client.ask("/").read_answer().status for client in clients], [200, 429])

    def test_forwarding_itself(self):
        self.start(NamedApp("upstream"))
        client = self.closing(HttpClient(("127.0.0.1", self.proxy.port)))
        self.assertEqual(client.ask("/").read_answer().status, 200)
        self.reload(http={"forward": False})
        self.assertEqual(client.ask("/").read_answer().status, 426)


if __name__ == "__main__":
    main()
