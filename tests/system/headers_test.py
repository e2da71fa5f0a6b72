"""What the app is told of its clients: X-Forwarded-*, Forwarded (RFC 7239), X-Request-Id, Host, traceparent, and who may say so."""

import os
import re
import tempfile
import unittest

from harness import HttpClient, HttpTest, SharedHttpTest, free_port, has_ipv6, http_head, http_message, main
from harness.http_message import answer

KINDS = ("plain", "upgrade")
HOST = "App.example.org:8443"
FORGED = "6.6.6.6"
ORIGIN = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "Forwarded", "X-Request-Id")
OF_THE_HOP = {"connection", "upgrade", "sec-websocket-extensions", *(name.lower() for name in ORIGIN)}


def elements(head):
    """RFC 7239 section 4: what each hop said, names in small letters, quotes taken off."""
    text = ", ".join(head.all("Forwarded"))
    pair = r'([\w-]+)=("(?:[^"\\]|\\.)*"|[^",;=\s]+)'
    assert re.fullmatch(rf"{pair}(?:;{pair})*(?:,\s*{pair}(?:;{pair})*)*", text), f"not Forwarded: {text!r}"
    hops = re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', text)
    return [{name.lower(): value.strip('"') for name, value in re.findall(pair, hop)} for hop in hops]


class HeadersTest(HttpTest):
    address = None  # of the listener, when it is not the usual one

    def seen(self, kind, fields=(), *, target="/", host=HOST, source=None, address=None):
        """The head that the app gets when a client sends these fields."""
        client = self.closing(HttpClient(address or ("127.0.0.1", self.proxy.port), source=source))
        make = http_head.request if kind == "upgrade" else http_message.request
        client.send_bytes(make(target, host=host, fields=fields))
        side = self.app.next()
        side.answer("404 Not Found", fields=[("Connection", "close")], body=b"")
        self.assertEqual(client.read_answer().status, 404)
        client.close()
        self.app.forget(side)
        return side.request

    def one(self, head, name):
        self.assertEqual(len(head.all(name)), 1, f"{name} in {head.raw}")
        return head.get(name)

    def assert_origin(self, head, *, peer="127.0.0.1", port=None, host=HOST):
        """All that is told is what this proxy knows by itself."""
        port = str(self.proxy.port) if port is None else port
        self.assertEqual([head.all(name) for name in ORIGIN[:4]], [[value] if value else [] for value in (peer, "http", host, port)], head.raw)
        self.assertEqual(elements(head), [{"for": f"[{peer}]" if ":" in peer else peer or "unknown", "host": host, "proto": "http"}])
        self.assertRegex(self.one(head, "X-Request-Id"), r"\A[0-9A-Za-z-]{16,64}\Z")
        self.assertNotIn(FORGED, head.raw.decode("latin-1"))


CLAIMS = {
    **{name: [(name, FORGED)] for name in ORIGIN},
    "in small letters": [(name.lower(), FORGED) for name in ORIGIN],
    "in capitals": [(name.upper(), FORGED) for name in ORIGIN],
    "twice": [(name, FORGED) for name in ORIGIN] * 2,
    "a whole chain": [("X-Forwarded-For", f"{FORGED}, 127.0.0.1"), ("Forwarded", f"for={FORGED};proto=https, for=127.0.0.1")],
    "with underscores": [(name.replace("-", "_"), FORGED) for name in ORIGIN if "-" in name],
    "with some underscores": [("X_Forwarded-For", FORGED), ("x-forwarded_proto", FORGED), ("X-REQUEST_ID", FORGED), ("X_Request-Id", FORGED)],
    "of which apps believe others": [("X-Forwarded-Server", FORGED), ("X-Forwarded-Prefix", f"/{FORGED}"), ("X-Forwarded-Proto-Version", FORGED)],
    "called one hop's": [("Connection", ", ".join(ORIGIN)), *((name, FORGED) for name in ORIGIN)],
    "called one hop's without being there": [("Connection", "x-forwarded-for,X-Forwarded-Proto"), ("Connection", "forwarded, x-request-id,host")],
    "of other people's syntax": [("Forwarded", f'for="{FORGED}'), ("X-Forwarded-For", f'"{FORGED}", ,;=')],
}


class FromAnybody(HeadersTest, SharedHttpTest):
    def test_the_app_learns_who_asked_and_for_what(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.assert_origin(self.seen(kind))

    def test_what_a_client_claims_is_dropped(self):
        for what, fields in CLAIMS.items():
            for kind in KINDS:
                with self.subTest(what, kind=kind):
                    head = self.seen(kind, fields)
                    self.assert_origin(head)
                    self.assertEqual(head.all("Host"), [HOST])

    def test_each_request_has_an_id_of_its_own_which_is_in_the_access_log(self):
        ids = [self.seen(kind, target=f"/id/{kind}/{at}").get("X-Request-Id") for kind in KINDS for at in range(3)]
        self.assertEqual(len(set(ids)), 6)
        lines = [self.proxy.access_line(f"/id/{kind}/{at}")["request_id"] for kind in KINDS for at in range(3)]
        self.assertEqual(lines, ids)

    def test_requests_of_one_connection_have_different_ids(self):
        client = self.client()
        ids = {self.exchange(http_message.request(f"/{at}"), client=client)[0].request.get("X-Request-Id") for at in range(3)}
        self.assertEqual(len(ids), 3)

    def test_whatever_is_nobody_s_business_keeps_order_case_and_repeats(self):
        sent = [("cookie", "a=1; b=2"), ("X-One", "1"), ("Cookie", "c=3"), ("x-one", "2"), ("COOKIE", "d=4"), ("X_Under", "score"), ("X-Real-Ip", "1.1.1.1"),
                ("Origin", "https://a.example"), ("Authorization", "Bearer x"), ("X-Empty", ""), ("X-Forward", "no"), ("Forwarder", "no"), ("X-Request-Idea", "no")]
        for kind in KINDS:
            with self.subTest(kind):
                head = self.seen(kind, sent)
                own = [] if kind == "plain" else [("Sec-WebSocket-Key", http_head.SAMPLE_KEY), ("Sec-WebSocket-Version", "13")]
                self.assertEqual([field for field in head.fields if field[0].lower() not in OF_THE_HOP], [("Host", HOST), *own, *sent])

    def test_the_app_s_answer_keeps_order_case_and_repeats_too(self):
        sent = [("set-cookie", "a=1"), ("X-One", "1"), ("Set-Cookie", "b=2; Path=/"), ("x-one", "2"), ("SET-COOKIE", "c=3"), ("X_Under", "score")]
        for kind in KINDS:
            with self.subTest(kind):
                client = self.client()
                client.send_bytes(http_head.request() if kind == "upgrade" else http_message.request())
                side = self.app.next()
                side.send_bytes(http_head.answer_101(http_head.SAMPLE_KEY, sent) if kind == "upgrade" else answer(fields=sent, body=b""))
                side.waits = True
                mine = {name.lower() for name, _ in sent}
                self.assertEqual([field for field in client.read_head().fields if field[0].lower() in mine], sent)

    def test_framing_is_not_taken_away_by_naming_it_in_connection(self):
        for name, how in (("Content-Length", {"body": b"hello"}), ("transfer-encoding", {"chunks": [b"he", b"llo"]}), ("Host", {"body": b"hello"})):
            with self.subTest(name):
                side, body, got = self.exchange(http_message.request("/", "POST", host=HOST, fields=[("Connection", name)], **how))
                self.assertEqual((side.request.all("Host"), body.data, got.status), ([HOST], b"hello", 200))

    def test_a_trace_s_context_passes_and_is_in_the_access_log(self):
        good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        for kind in KINDS:
            for at, value in enumerate((good, good.upper(), "not one")):
                with self.subTest(kind, value=value):
                    head = self.seen(kind, [("Traceparent", value), ("tracestate", "a=b,c=d")], target=f"/trace/{kind}/{at}")
                    self.assertEqual((head.all("traceparent"), head.all("tracestate")), ([value], ["a=b,c=d"]))
                    self.assertEqual(self.proxy.access_line(f"/trace/{kind}/{at}")["traceparent"], value)
            self.seen(kind, target=f"/trace/{kind}/none")
            self.assertNotIn("traceparent", self.proxy.access_line(f"/trace/{kind}/none"))


# What a trusted proxy brought, and what the app then sees; a name that is not there is as from anybody.
BROUGHT = {
    "nothing": ([], {}),
    "a client": ([("X-Forwarded-For", "203.0.113.7")], {"X-Forwarded-For": "203.0.113.7, 127.0.0.1"}),
    "a chain": ([("X-Forwarded-For", "2001:db8::7, 10.1.2.3")], {"X-Forwarded-For": "2001:db8::7, 10.1.2.3, 127.0.0.1"}),
    "a chain in two lines": ([("X-Forwarded-For", "203.0.113.7"), ("x-forwarded-for", "10.1.2.3")], {"X-Forwarded-For": "203.0.113.7, 10.1.2.3, 127.0.0.1"}),
    "how it was asked": ([("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example"), ("X-Forwarded-Port", "443")],
                         {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example", "X-Forwarded-Port": "443"}),
    "an id": ([("x-request-id", "Its own/ID+7=")], {"X-Request-Id": "Its own/ID+7="}),
    "more": ([("X-Forwarded-Prefix", "/shop")], {"X-Forwarded-Prefix": "/shop"}),
}


class FromTrusted(HeadersTest, SharedHttpTest):
    settings = {"headers": {"trusted_proxies": ["192.0.2.0/24", "127.0.0.1/32"]}}

    def test_what_it_brought_is_kept_or_appended_to(self):
        for what, (fields, wanted) in BROUGHT.items():
            for kind in KINDS:
                with self.subTest(what, kind=kind):
                    head = self.seen(kind, fields)
                    for name, value in wanted.items():
                        self.assertEqual(", ".join(head.all(name)), value)
                    others = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": HOST}
                    for name, value in others.items():
                        self.assertEqual(", ".join(head.all(name)), wanted.get(name, value))
                    self.one(head, "X-Request-Id")

    def test_forwarded_is_appended_to(self):
        before = 'for="[2001:db8::7]:4711";host="a,b;c";PROTO=https;by=_lb'
        for kind in KINDS:
            for lines in ([before], ["for=_hidden", before]):
                with self.subTest(kind, lines=lines):
                    got = elements(self.seen(kind, [("forwarded", line) for line in lines]))
                    self.assertEqual(got[-2:], [{"for": "[2001:db8::7]:4711", "host": "a,b;c", "proto": "https", "by": "_lb"},
                                                {"for": "127.0.0.1", "host": HOST, "proto": "http"}])
                    self.assertEqual(len(got), len(lines) + 1)

    def test_an_id_that_is_kept_is_the_one_in_the_access_log(self):
        for kind in KINDS:
            self.seen(kind, [("X-Request-Id", f"mine-{kind}")], target=f"/kept/{kind}")
            self.assertEqual(self.proxy.access_line(f"/kept/{kind}")["request_id"], f"mine-{kind}")

    def test_names_with_underscores_are_no_proxy_s(self):  # which has not looked at what its client brought of them
        for kind in KINDS:
            self.assert_origin(self.seen(kind, CLAIMS["with underscores"] + CLAIMS["with some underscores"]))

    def test_another_address_is_not_trusted(self):
        for what, fields in CLAIMS.items():
            with self.subTest(what):
                self.assert_origin(self.seen("plain", fields, source="127.0.0.2"), peer="127.0.0.2")


class Listeners(HeadersTest, SharedHttpTest):
    """The same proxy asked over IPv4, IPv6, both in one socket, and a unix socket."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="wsproxy-")
        cls.addClassCleanup(folder.cleanup)
        cls.unix, cls.v6, cls.both = os.path.join(folder.name, "public"), free_port(), free_port()
        addresses = [f"127.0.0.1:{free_port()}", f"unix:{cls.unix}"]
        if has_ipv6():
            addresses += [f"[::1]:{cls.v6}", f"[::]:{cls.both}"]
        cls.settings = {"listeners": [{"address": address} for address in addresses]}
        super().setUpClass()

    def from_everybody(self, address, **wanted):
        for kind in KINDS:
            for what in ("X-Forwarded-For", "twice"):
                with self.subTest(kind, claims=what):
                    self.assert_origin(self.seen(kind, CLAIMS[what], address=address), **wanted)

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_a_client_of_ipv6(self):
        self.from_everybody(("::1", self.v6), peer="::1", port=str(self.v6))

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_a_client_of_ipv4_on_a_socket_for_both(self):
        self.from_everybody(("127.0.0.1", self.both), peer="127.0.0.1", port=str(self.both))

    def test_a_client_on_a_unix_socket_has_neither_address_nor_port(self):
        self.from_everybody(self.unix, peer="", port="")


class Host(HeadersTest):
    def test_the_app_sees_the_client_s_host_or_its_own(self):
        for setting in ("client", "upstream"):
            self.start(headers={"upstream": {"host": setting}})
            for kind in KINDS:
                for host in (HOST, "[::1]:80", "1.2.3.4"):
                    with self.subTest(setting, kind=kind, host=host):
                        head = self.seen(kind, host=host)
                        self.assertEqual(head.all("Host"), [host if setting == "client" else f"127.0.0.1:{self.app.port}"])
                        self.assert_origin(head, host=host)


if __name__ == "__main__":
    main()
