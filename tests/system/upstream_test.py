"""Where the app is: unix sockets, IPv6, names with several addresses, a path in its URL; for plain requests and upgrades alike."""

import os
import subprocess
import tempfile
import unittest

from harness import HttpClient, HttpTest, NamedApp, SystemTest, free_port, has_ipv6, http_message, main

# Runs its arguments with another /etc/hosts, $0.
WITH_HOSTS = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']


class UpstreamTest(SystemTest):
    def plain(self, target="/", method="POST", **how):
        """The head that the app got; by default on a fresh connection, which a POST always takes."""
        got = self.closing(HttpClient(("127.0.0.1", self.proxy.port))).ask(target, method, **how).read_answer(method)
        self.assertEqual((got.status, got.head.get("X-App")), (200, self.app.name))
        return self.app.requests[-1]

    def upgrade(self, target="/", **how):
        client = self.closing(self.proxy.client()).open(target, **how)
        client.send("hello")
        self.assertEqual((client.answer.get("X-App"), client.read_message().text), (self.app.name, "hello"))
        client.close()
        return self.app.requests[-1]

    def assert_reached(self, host="shop.example:99"):
        for ask in (self.plain, self.upgrade):
            head = ask("/a/b?c=d", host=host)
            self.assertEqual((head.target, head.all("Host"), head.all("X-Forwarded-Host")), ("/a/b?c=d", [host], [host]))


class Kinds(UpstreamTest):
    def test_a_unix_socket(self):
        with tempfile.TemporaryDirectory(prefix="wsproxy-") as folder:
            self.start(NamedApp("unix", os.path.join(folder, "app.sock")))
            self.assertTrue(self.proxy.settings["upstream"]["url"].startswith("ws+unix:/"))
            self.assert_reached()

    @unittest.skipUnless(has_ipv6(), "no IPv6 here")
    def test_an_ipv6_address(self):
        self.start(NamedApp("six", ("::1", 0)))
        self.assertTrue(self.proxy.settings["upstream"]["url"].startswith("ws://[::1]:"))
        self.assert_reached()

    def test_an_app_that_starts_after_the_request_was_made(self):
        for ask in ("plain", "upgrade"):
            with self.subTest(ask):
                port = free_port()
                self.start(NamedApp("stand-in"), wait="live", app_url=f"ws://127.0.0.1:{port}", upstream={"connect_timeout": "10s"})
                client = HttpClient(("127.0.0.1", self.proxy.port)) if ask == "plain" else self.proxy.client()
                self.closing(client).ask("/early")
                self.addCleanup((app := NamedApp("late", ("127.0.0.1", port))).stop)
                answer = client.read_answer()
                self.assertEqual((answer.head if ask == "plain" else answer).get("X-App"), "late")
                self.assertEqual([head.target for head in app.requests], ["/early"])

    def test_what_the_app_gets_as_host_is_the_upstream_s_when_asked_for(self):
        with tempfile.TemporaryDirectory(prefix="wsproxy-") as folder:
            for app in (NamedApp("four"), NamedApp("six", ("::1", 0)) if has_ipv6() else None, NamedApp("unix", os.path.join(folder, "app.sock"))):
                if app is not None:
                    self.start(app, headers={"upstream": {"host": "upstream"}})
                    wanted = "localhost" if app.name == "unix" else app.url.removeprefix("ws://")
                    for ask in (self.plain, self.upgrade):
                        self.assertEqual(ask(host="shop.example").all("Host"), [wanted])


# Path in the URL, what the client asks for, what the app gets.
BASES = {
    "/base/app": [("/chat?x=1", "/base/app/chat?x=1"), ("/", "/base/app/"), ("/?q=/", "/base/app/?q=/"), ("//x", "/base/app//x"),
                  ("/../x", "/base/app/../x"), ("/%2e%2e/x", "/base/app/%2e%2e/x"), ("/base/app", "/base/app/base/app")],
    "/base/": [("/chat", "/base/chat"), ("/", "/base/")],
    "/": [("/chat", "/chat"), ("/", "/")],
    "": [("/chat", "/chat"), ("/", "/")],
}


class BasePath(UpstreamTest):
    def test_it_stands_before_the_client_s(self):
        for base, targets in BASES.items():
            app = NamedApp("based")
            self.start(app, app_url=app.url + base)
            for target, wanted in targets:
                with self.subTest(base, target=target):
                    self.assertEqual([self.plain(target).target, self.upgrade(target).target], [wanted] * 2)

    def test_other_forms_of_a_target(self):
        app = NamedApp("based")
        self.start(app, app_url=f"{app.url}/base")
        for target, wanted in (("http://localhost/chat?x", "/base/chat?x"), ("http://localhost", "/base/"), ("http://localhost?q", "/base/?q")):
            with self.subTest(target):
                self.assertEqual(self.plain(target).target, wanted)
        self.assertEqual(self.plain("*", "OPTIONS").target, "*")


class BasePathInAnswers(HttpTest):
    def test_locations_and_cookies_are_the_app_s_business(self):
        self.start(upstream={})
        fields = [("Location", "http://app.internal:8008/base/x"), ("Set-Cookie", "a=b; Path=/base"), ("Content-Location", "/base/y")]
        _, _, got = self.exchange(http_message.request(), http_message.answer("302 Found", fields=fields, body=b""))
        self.assertEqual(got.head.fields[:3], fields)


class Names(UpstreamTest):
    """A name whose addresses the test chooses: the proxy is run with an /etc/hosts of its own."""

    def setUp(self):
        super().setUp()
        self.hosts = tempfile.NamedTemporaryFile("w", prefix="wsproxy-hosts-")
        self.addCleanup(self.hosts.close)
        self.before = [*WITH_HOSTS, self.hosts.name]
        if not has_ipv6() or subprocess.run([*self.before, "true"], capture_output=True).returncode != 0:
            self.skipTest("no IPv6, or no /etc/hosts of one's own, here")

    def resolve_to(self, *addresses):
        self.hosts.seek(0)
        self.hosts.truncate()
        self.hosts.write("".join(f"{address} two-addresses.test\n" for address in addresses))
        self.hosts.flush()

    def app_on(self, address, port=0):
        self.app = NamedApp(address, (address, port))
        self.addCleanup(self.app.stop)
        return self.app

    def start_named(self):
        self.start(self.app, app_url=f"ws://two-addresses.test:{self.app.port}", before=self.before)

    def test_the_addresses_are_tried_until_one_answers(self):
        for addresses in (("127.0.0.1", "::1"), ("::1", "127.0.0.1"), ("127.0.0.9", "127.0.0.8", "::1", "127.0.0.1")):
            for listens in ("127.0.0.1", "::1"):
                with self.subTest(addresses, listens=listens):
                    self.resolve_to(*addresses)
                    self.app_on(listens)
                    self.start_named()
                    self.assert_reached()

    def test_the_name_is_looked_up_for_each_connection(self):
        self.resolve_to("127.0.0.1")
        first = self.app_on("127.0.0.1")
        self.start_named()
        for address in ("::1", "127.0.0.2", "127.0.0.1"):
            if address != "127.0.0.1":
                self.app_on(address, first.port)
            else:
                self.app = first
            self.resolve_to(address)
            self.assert_reached()

    def test_a_name_that_nobody_knows_is_a_bad_gateway(self):
        self.resolve_to("127.0.0.1")
        self.app_on("127.0.0.1")
        self.start(self.app, app_url=f"ws://unknown.invalid:{self.app.port}", before=self.before, wait="live", upstream={"connect_timeout": "100ms"})
        for client in (HttpClient(("127.0.0.1", self.proxy.port)), self.proxy.client()):
            self.closing(client).ask()
            self.assertEqual(client.read_answer().status, 502)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_upstream_errors_total", reason="resolve"), 2)


if __name__ == "__main__":
    main()
