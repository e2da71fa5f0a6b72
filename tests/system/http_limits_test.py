"""Whoever is too much is told so: each refusal has its status, its reason in a metric and a log line, and troubles nobody else."""

import json
import time

from harness import DEADLINE, HttpApp, HttpClient, NamedApp, SystemTest, http_head, http_message, main, wait_until

KINDS = ("plain", "upgrade")
TRUSTED = {"headers": {"trusted_proxies": ["127.0.0.1/32"]}}


class RefusalTest(SystemTest):
    def start_named(self, **settings):
        self.start(NamedApp("app"), workers=1, **settings)

    def connect(self, source=None):
        return self.closing(HttpClient(("127.0.0.1", self.proxy.port), source=source))

    def ask(self, kind, path="/", fields=(), *, client=None, source=None):
        client = client or self.connect(source)
        client.send_bytes((http_head.request if kind == "upgrade" else http_message.request)(path, fields=fields))
        return client

    def served(self, kind, path="/", fields=(), **how):
        """The connection, which stays open."""
        client = self.ask(kind, path, fields, **how)
        self.assert_answered(kind, client)
        return client

    def assert_answered(self, kind, client):
        if kind == "upgrade":
            self.assertEqual((head := client.read_head()).status, 101, head.raw)
        else:
            self.assertEqual((got := client.read_answer()).status, 200, got.head.raw)

    def assert_echoes(self, client):
        client.masks = True
        client.send("still there")
        self.assertEqual(client.read_message().text, "still there")

    def asked_for(self):
        return " ".join(request.target for request in self.app.requests)

    def rejected(self, reason):
        return self.proxy.metrics().sum("wsproxy_rejected_total", reason=reason)

    def refused(self, status, reason, ask, below=""):
        """`ask(path)` gives a client that is refused: by status, metric and log line, and the app is not asked."""
        path = f"{below}/refused/{time.monotonic_ns()}"
        before = self.rejected(reason)
        client = ask(path)
        got = client.read_answer()
        self.assertEqual((got.status, got.closes), (status, True), got.head.raw)
        self.assertTrue(got.data, "no word of explanation")
        self.assertEqual(client.read_to_end(), b"")
        client.close()
        self.assertEqual(self.rejected(reason), before + 1)
        self.assertNotIn(path, self.asked_for())
        line = self.proxy.access_line(path)
        self.assertEqual((line["status"], line["closed_by"]), (status, "proxy"))
        self.assertTrue(line.get("cause"), line)

    def both_refused(self, status, reason, below="", **how):
        for kind in KINDS:
            with self.subTest(f"{kind} is refused", **how):
                self.refused(status, reason, lambda path: self.ask(kind, path, **how), below)


class Connections(RefusalTest):
    def test_one_more_than_max_connections_is_503_whatever_the_others_do(self):
        self.start_named(limits={"max_connections": 2})
        idle, talking = self.served("plain"), self.served("upgrade")
        self.both_refused(503, "max_connections")
        self.assert_echoes(talking)
        self.served("plain", client=idle)
        idle.close()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 1, "the place to be free")
        self.served("upgrade")

    def test_one_more_than_max_connections_per_ip_is_429_for_that_address(self):
        self.start_named(limits={"max_connections_per_ip": 2})
        idle, talking = self.served("plain"), self.served("upgrade")
        self.both_refused(429, "max_connections_per_ip")
        self.served("upgrade", source="127.0.0.2")
        self.assert_echoes(talking)
        self.served("plain", client=idle)


# What a trusted proxy says of a client, when 203.0.113.1 and 2001:db8:1:2::1 have a connection each.
TOO_MANY = {
    "the same address": [("X-Forwarded-For", "203.0.113.1")],
    "with a port": [("X-Forwarded-For", "203.0.113.1:4711")],
    "IPv4 in IPv6": [("X-Forwarded-For", "::ffff:203.0.113.1")],
    "behind another trusted proxy": [("X-Forwarded-For", "203.0.113.1, 127.0.0.1")],
    "with a client's own invention": [("X-Forwarded-For", "198.51.100.1, 203.0.113.1")],
    "in two lines": [("X-Forwarded-For", "198.51.100.1"), ("x-forwarded-for", "203.0.113.1")],
    "in Forwarded": [("Forwarded", "for=198.51.100.1, for=203.0.113.1;proto=https")],
    "the same /64": [("X-Forwarded-For", "2001:db8:1:2:ffff:ffff:ffff:ffff")],
    "the same /64 in other letters": [("X-Forwarded-For", "2001:0DB8:0001:0002::9")],
    "the same /64 with a port": [("X-Forwarded-For", "[2001:db8:1:2::5]:443")],
    "the same /64 in Forwarded": [("Forwarded", 'for="[2001:db8:1:2::5]:443"')],
}
OTHERS = {
    "another address": [("X-Forwarded-For", "203.0.113.2")],
    "another behind the same": [("X-Forwarded-For", "203.0.113.1, 198.51.100.1")],
    "another /64": [("X-Forwarded-For", "2001:db8:1:3::1")],
    "another network": [("X-Forwarded-For", "2001:db9:1:2::1")],
    "another in Forwarded": [("Forwarded", "for=203.0.113.1, for=198.51.100.1")],
}


class ConnectionsBehindTrusted(RefusalTest):
    def start_crowded(self):
        self.start_named(**TRUSTED, limits={"max_connections_per_ip": 1})
        return [self.served("upgrade", fields=[("X-Forwarded-For", address)]) for address in ("203.0.113.1", "2001:db8:1:2::1")]

    def test_it_is_the_client_s_address_that_counts_and_of_ipv6_the_64(self):
        held = self.start_crowded()
        for fields in TOO_MANY.values():
            self.both_refused(429, "max_connections_per_ip", fields=fields)
        for what, fields in OTHERS.items():
            for kind in KINDS:
                with self.subTest(what, kind=kind):
                    self.served(kind, fields=fields).close()
                    wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 2, "it to be gone")
        for client in held:
            self.assert_echoes(client)

    def test_on_one_connection_of_the_proxy_each_request_counts_for_its_own_client(self):
        self.start_crowded()
        shared = self.connect()
        for fields in (OTHERS["another address"], OTHERS["another /64"], OTHERS["another address"]):
            self.served("plain", fields=fields, client=shared)
        self.refused(429, "max_connections_per_ip", lambda path: self.ask("plain", path, TOO_MANY["the same address"], client=shared))

    def test_others_cannot_speak_for_anybody(self):
        self.start_crowded()
        self.served("plain", fields=[("X-Forwarded-For", "203.0.113.9")], source="127.0.0.2")
        for address in ("203.0.113.9", "203.0.113.10"):
            self.both_refused(429, "max_connections_per_ip", fields=[("X-Forwarded-For", address)], source="127.0.0.2")
        self.served("plain", fields=[("X-Forwarded-For", "203.0.113.9")])


class AppConnections(RefusalTest):
    """upstream.max_connections: the app's places, which requests take while they are answered and WebSockets while they last."""

    FULL = (503, "upstream_max_connections")

    def start_by_hand(self, **settings):
        self.start(HttpApp(), workers=1, **settings)

    def asked_for(self):
        return self.app.unread().decode()

    def open(self):
        client = self.ask("upgrade")
        side = self.app.next()
        side.send_bytes(http_head.answer_101(http_head.SAMPLE_KEY))
        self.assert_answered("upgrade", client)
        return client, side

    def serves_soon(self):
        client = self.ask("plain")
        if not self.app.is_asked_before(client):  # it was faster than the end of the connection before
            self.assertEqual(client.read_answer().status, 503)
            return self.serves_soon()
        self.app.next().answer(body=b"")
        self.assert_answered("plain", client)

    def test_a_websocket_has_one_until_it_ends(self):
        self.start_by_hand(upstream={"max_connections": 1})
        client, side = self.open()
        self.both_refused(*self.FULL)
        client.reset()
        self.assertEqual(side.read_to_end(), b"")
        self.app.forget(side)
        self.serves_soon()

    def test_a_request_has_one_until_it_is_answered_and_an_idle_client_has_none(self):
        self.start_by_hand(upstream={"max_connections": 2})
        clients = [self.ask("plain"), self.ask("plain")]
        sides = [self.app.next(), self.app.next()]
        self.both_refused(*self.FULL)
        for side in sides:
            side.answer(body=b"")
        for client in clients:
            self.assert_answered("plain", client)
        for client in (*clients, self.connect(), *clients):
            self.ask("plain", client=client)
            self.app.next().answer(body=b"")
            self.assert_answered("plain", client)

    def test_a_route_counts_its_own(self):
        self.addCleanup((elsewhere := NamedApp("elsewhere")).stop)
        self.start_by_hand(upstream={"max_connections": 1}, routes=[
            {"match": {"path": "/two"}, "upstream": {"url": elsewhere.url, "max_connections": 2}},
            {"match": {"path": "/free"}, "upstream": {"url": elsewhere.url, "max_connections": 0}}])
        held = [self.served("upgrade", "/two"), self.served("upgrade", "/two")]
        self.both_refused(*self.FULL, "/two")
        self.open()
        self.both_refused(*self.FULL)
        held += [self.served("upgrade", "/free") for _ in range(4)]
        for client in held:
            self.assert_echoes(client)


class Handshakes(RefusalTest):
    RATE = 3

    def until_refused(self, **how):
        """How many handshakes went well before one was refused, and how many may have."""
        began = time.monotonic()
        for at in range(200):
            client = self.ask("upgrade", f"/{at}", **how)
            status = client.read_head().status
            client.close()
            if status == 429:
                return at, self.RATE + int((time.monotonic() - began) * self.RATE) + 1
        raise AssertionError("200 handshakes and none refused")

    def test_more_handshakes_a_second_than_allowed_are_429_for_that_address(self):
        self.start_named(limits={"handshakes_per_second_per_ip": self.RATE})
        talking = self.served("upgrade", source="127.0.0.2")
        went_well, at_most = self.until_refused()
        self.assertTrue(self.RATE <= went_well <= at_most, (went_well, at_most))
        self.assertEqual(self.rejected("handshake_rate"), 1)
        line = self.proxy.access_line(f"/{went_well}")
        self.assertEqual((line["status"], bool(line.get("cause"))), (429, True))
        self.assertNotIn(f"/{went_well}", self.asked_for())
        for _ in range(2 * self.RATE):
            self.served("plain")
        self.served("upgrade", source="127.0.0.2")
        self.assert_echoes(talking)
        wait_until(lambda: self.ask("upgrade").read_head().status == 101, "a second to pass", DEADLINE)

    def test_clients_behind_a_trusted_proxy_have_a_rate_each_and_a_64_has_one(self):
        self.start_named(**TRUSTED, limits={"handshakes_per_second_per_ip": self.RATE})
        for network in ("2001:db8:1:2", "2001:db8:1:3"):
            went_well, at_most = self.until_refused(fields=[("X-Forwarded-For", f"{network}::1")])
            self.assertTrue(self.RATE <= went_well <= at_most, (went_well, at_most))
        began, well = time.monotonic(), 0
        for at in range(20):  # of one network, each with another address
            well += self.ask("upgrade", fields=[("X-Forwarded-For", f"2001:db8:1:4:{at}::1")]).read_head().status == 101
        self.assertLessEqual(well, self.RATE + int((time.monotonic() - began) * self.RATE) + 1)


class Heads(RefusalTest):
    def test_a_head_over_max_header_size_is_431_also_when_it_is_not_the_first(self):
        self.start_named(limits={"max_header_size": "2KiB"})
        for what, fields in (("a long one", [("X", "x" * 2100)]), ("many", [("X", "y")] * 400), ("a huge one", [("X", "x" * 60_000)])):
            with self.subTest(what):
                client = self.served("plain", fields=[("X", "x" * 1900)])
                before = self.rejected("header_too_large")
                asked, seen = len(self.app.requests), len(self.proxy.lines)
                self.assertEqual(self.ask("plain", "/", fields, client=client).read_answer().status, 431)
                client.close()
                self.assertEqual(self.rejected("header_too_large"), before + 1)
                self.assertTrue(json.loads(self.proxy.wait_for_line('"message":"access".*"status":431', after=seen).string)["cause"])
                self.assertEqual(len(self.app.requests), asked)
        target = self.connect().ask("/" + "x" * 3000).read_answer()
        self.assertIn(target.status, (414, 431))


FOREIGN = ("https://example.org", "http://a.example.org", "https://a.example.org:444", "https://badexample.org", "https://a.example.org.evil",
           "https://a.example.org@evil", "https://evil/a.example.org", "https://exact.test:443.evil", "http://exact.test", "null", "nonsense",
           "https://a.example.org, https://evil.test")


class Origins(RefusalTest):
    def test_an_upgrade_from_elsewhere_is_403(self):
        self.start_named(limits={"allowed_origins": ["https://*.example.org", "https://exact.test"]})
        for origin in ("https://a.example.org", "https://a.b.example.org", "https://exact.test", "HTTPS://EXACT.test:443"):
            self.served("upgrade", fields=[("Origin", origin)]).close()
        for origin in FOREIGN:
            with self.subTest(origin):
                self.refused(403, "origin", lambda path: self.ask("upgrade", path, [("Origin", origin)]))
        for two in (["https://exact.test", "https://evil.test"], ["https://evil.test", "https://exact.test"]):
            with self.subTest(two):  # an app would believe one of them
                self.assertIn(self.ask("upgrade", fields=[("Origin", one) for one in two]).read_head().status, (400, 403))
        self.served("plain", fields=[("Origin", "https://evil.test")])  # CORS is between the browser and the app


class Unknown(RefusalTest):
    def test_what_is_no_part_of_this_proxy_is_501(self):
        self.start_named()
        for what, method, fields in (("h2c", "GET", [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]),
                                     ("TLS", "OPTIONS", [("connection", "keep-alive, UPGRADE"), ("upgrade", "TLS/1.0")]),
                                     ("another", "POST", [("Connection", "upgrade"), ("Upgrade", "IRC/6.9, websockets")])):
            with self.subTest(what):
                self.refused(501, "not_implemented", lambda path: self.connect().ask(path, method, fields=fields))
        before = self.rejected("not_implemented")
        self.assertEqual(self.connect().ask("example.org:443", "CONNECT", host="example.org:443").read_answer().status, 501)
        self.assertEqual(self.rejected("not_implemented"), before + 1)
        self.assertEqual(self.app.requests, [])


if __name__ == "__main__":
    main()
