"""Where a request goes: by host and path, the first match wins, each route with settings of its own (DESIGN section 7)."""

from harness import HttpClient, NamedApp, Proxy, SystemTest, http_message, main, wait_until

OFFER = "permessage-deflate; client_max_window_bits"
MESSAGE = '{"type":"chat","text":"the same words, the same words, the same words"}'


class RoutesTest(SystemTest):
    """`routes` without their upstreams: route `to` goes to the app of that name; `default` is the fallback."""

    routes, settings = [], {}

    @classmethod
    def setUpClass(cls):
        cls.apps = {name: NamedApp(name) for name in ["default", *(route["to"] for route in cls.routes)]}
        for app in cls.apps.values():
            cls.addClassCleanup(app.stop)
        routes = [{**{key: value for key, value in route.items() if key != "to"},
                   "upstream": {"url": cls.apps[route["to"]].url + route.get("upstream", {}).get("url", ""),
                                **{key: value for key, value in route.get("upstream", {}).items() if key != "url"}}} for route in cls.routes]
        cls.proxy = Proxy(cls.apps["default"].url, {**cls.settings, "routes": routes, "workers": 1})
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        super().setUp()
        self.processes = [self.proxy]

    def client(self):
        return self.closing(HttpClient(("127.0.0.1", self.proxy.port)))

    def upgraded(self, path="/", *, status=101, **how):
        client = self.closing(self.proxy.client())
        client.ask(path, **how)
        self.assertEqual(client.read_answer().status, status)
        return client

    def assert_goes(self, to, answer, target):
        self.assertEqual((answer.status, answer.head.get("X-App"), answer.data), (200, to, target.encode()))
        self.assertEqual(self.apps[to].requests[-1].target, target)


# Host, target, and where it goes.
MATCHES = [
    ("chat.example.org", "/", "chat"),
    ("CHAT.Example.ORG:8443", "/", "chat"),
    ("chat.example.org:", "/", "chat"),
    ("chat.example.org.", "/", "chat"),  # the same name to DNS
    ("chat.example.org:80", "/v2/x", "chat of path"),
    ("Chat.Example.Org", "/v2/?a=/b", "chat of path"),
    ("chat.example.org", "/v2", "chat"),
    ("chat.example.org", "/v2?/", "chat"),
    ("chat.example.org", "/V2/", "chat"),
    ("chat.example.org", "/files/1", "chat"),
    ("a.example.org", "/", "star"),
    ("A.B.EXAMPLE.ORG:1", "/v2/", "star"),
    ("notchat.example.org", "/", "star"),
    ("loud.example.com", "/", "loud"),
    ("example.org", "/", "default"),  # a star stands for at least one label
    ("badexample.org", "/", "default"),
    ("chat.example.org.evil.example", "/", "default"),
    ("evil.example", "/?chat.example.org", "default"),
    ("localhost", "/files", "files"),
    ("localhost", "/files/", "files"),
    ("localhost", "/filesystem", "files"),
    ("localhost", "/files?x", "files"),
    ("localhost", "/files/../x", "files"),
    ("localhost", "/x/../files", "default"),
    ("localhost", "/%66iles", "default"),
    ("localhost", "//files", "default"),
    ("localhost", "/?/files", "default"),
    ("localhost", "/FILES", "default"),
    ("localhost", "/file", "default"),
    ("[::1]:8009", "/", "v6"),
    ("[::1]", "/", "v6"),
    ("[::2]", "/", "default"),
    ("10.1.2.3:8009", "/", "v4"),
    ("10.1.2.30", "/", "default"),
]


class Matching(RoutesTest):
    routes = [
        {"match": {"host": "chat.example.org", "path": "/v2/"}, "to": "chat of path"},
        {"match": {"host": "chat.example.org"}, "to": "chat"},
        {"match": {"host": "*.example.org"}, "to": "star"},
        {"match": {"host": "Loud.EXAMPLE.com"}, "to": "loud"},
        {"match": {"path": "/files"}, "to": "files"},
        {"match": {"host": "::1"}, "to": "v6"},
        {"match": {"host": "10.1.2.3"}, "to": "v4"},
    ]

    def test_plain_requests_each_on_a_connection_of_its_own(self):
        for host, target, to in MATCHES:
            with self.subTest(host, target=target):
                client = self.client().ask(target, host=host)
                self.assert_goes(to, client.read_answer(), target)

    def test_plain_requests_on_one_connection(self):
        client = self.client()
        for host, target, to in MATCHES * 2:
            with self.subTest(host, target=target):
                self.assert_goes(to, client.ask(target, host=host).read_answer(), target)

    def test_plain_requests_in_one_go(self):
        client = self.client()
        client.send_bytes(b"".join(http_message.request(target, host=host) for host, target, _ in MATCHES))
        got = [client.read_answer() for _ in MATCHES]
        self.assertEqual([answer.head.get("X-App") for answer in got], [to for _, _, to in MATCHES])
        self.assertEqual([answer.data.decode() for answer in got], [target for _, target, _ in MATCHES])

    def test_upgrades(self):
        for host, target, to in MATCHES:
            with self.subTest(host, target=target):
                client = self.upgraded(target, host=host)
                self.assertEqual((client.answer.get("X-App"), self.apps[to].requests[-1].target), (to, target))
                client.send("hello")
                self.assertEqual(client.read_message().text, "hello")
                client.close()

    def test_an_upgrade_behind_plain_requests_goes_its_own_way(self):
        client = self.closing(self.proxy.client())
        client.send_bytes(http_message.request("/files"))
        plain = client.read_answer()
        client.receive_some() if not client.buffer else None
        self.assertEqual((plain.get("X-App"), bytes(client.buffer)), ("files", b"/files"))
        client.buffer.clear()
        client.ask("/files", host="chat.example.org")
        self.assertEqual((client.read_answer().status, client.answer.get("X-App")), (101, "chat"))

    def test_the_host_of_a_whole_url_counts_and_not_the_line(self):  # RFC 9112 section 3.2.2
        for line in ("chat.example.org", "localhost"):
            got = self.client().ask("http://chat.example.org:80/v2/?q", host=line).read_answer()
            self.assert_goes("chat of path", got, "/v2/?q")

    def test_a_request_without_a_host_can_match_a_path_only(self):
        for target, to in (("/", "default"), ("/files", "files")):
            got = self.client().ask(target, host=None, version="HTTP/1.0").read_answer()
            self.assert_goes(to, got, target)

    def test_a_request_for_the_whole_server_has_no_path(self):
        for host, to in (("localhost", "default"), ("chat.example.org", "chat")):
            self.assert_goes(to, self.client().ask("*", "OPTIONS", host=host).read_answer(), "*")

    def test_what_a_client_says_of_other_hosts_changes_nothing(self):
        said = [("X-Forwarded-Host", "chat.example.org"), ("Forwarded", "host=chat.example.org"), ("X-Host", "chat.example.org"),
                ("X-Original-URL", "/files"), ("X-Http-Host-Override", "chat.example.org")]
        self.assert_goes("default", self.client().ask("/", fields=said).read_answer(), "/")


class Settings(RoutesTest):
    """A route's own settings; what it leaves out is taken from the file's."""

    routes = [
        {"match": {"path": "/raw"}, "to": "raw", "compression": {"enabled": False}},
        {"match": {"path": "/narrow"}, "to": "narrow", "compression": {"window_bits": 10}},
        {"match": {"path": "/small"}, "to": "small", "limits": {"max_message_size": "1KiB"}},
        {"match": {"path": "/origin"}, "to": "origin", "limits": {"allowed_origins": ["https://good.example"]}},
        {"match": {"path": "/open"}, "to": "open", "limits": {"allowed_origins": []}},
        {"match": {"path": "/lost"}, "to": "lost", "upstream": {"lost_code": 4999}},
        {"match": {"path": "/base"}, "to": "base", "upstream": {"url": "/below/this"}},
    ]
    settings = {"compression": {"min_size": 0, "window_bits": 12}, "limits": {"max_message_size": "8KiB", "allowed_origins": ["https://usual.example"]},
                "upstream": {"lost_code": 1014}, "headers": {"upstream": {"host": "upstream"}}}

    def test_compression(self):
        for path, bits in (("/raw", None), ("/narrow", 10), ("/small", 12), ("/other", 12)):
            with self.subTest(path):
                client = self.upgraded(path, extensions=f"{OFFER}; server_max_window_bits=15")
                if bits is None:
                    self.assertIsNone(client.answer.get("Sec-WebSocket-Extensions"))
                else:
                    self.assertEqual(client.agreed.server_bits, bits)
                client.send(MESSAGE)
                got = client.read_message()
                self.assertEqual((got.text, got.compressed), (MESSAGE, bits is not None))

    def test_max_message_size(self):
        for path, size, passes in (("/small", 1024, True), ("/small", 1025, False), ("/raw", 1025, True), ("/other", 8192, True), ("/other", 8193, False)):
            with self.subTest(path, size=size):
                client = self.upgraded(path)
                client.send("x" * size)
                if passes:
                    self.assertEqual(len(client.read_message().text), size)
                else:
                    self.assertEqual(client.read_close()[0], 1009)

    def test_allowed_origins(self):
        for path, origin, status in (("/origin", "good", 101), ("/origin", "usual", 403), ("/open", "any", 101), ("/raw", "usual", 101),
                                     ("/raw", "good", 403), ("/other", "usual", 101), ("/other", "any", 403)):
            with self.subTest(path, origin=origin):
                self.upgraded(path, fields=[("Origin", f"https://{origin}.example")], status=status)

    def test_lost_code(self):
        for path, code in (("/lost", 4999), ("/raw", 1014), ("/other", 1014)):
            with self.subTest(path):
                client = self.upgraded(path)
                client.send("/vanish")
                self.assertEqual(client.read_close()[0], code)

    def test_the_upstream_s_path_and_host(self):
        for path, to, target in (("/base", "base", "/below/this/base"), ("/base/x?y=/z", "base", "/below/this/base/x?y=/z"), ("/raw", "raw", "/raw"),
                                 ("/other", "default", "/other")):
            with self.subTest(path):
                self.assert_goes(to, self.client().ask(path).read_answer(), target)
                self.upgraded(path)
                self.assertEqual([(seen.target, seen.all("Host")) for seen in self.apps[to].requests[-2:]],
                                 [(target, [f"127.0.0.1:{self.apps[to].port}"])] * 2)


class AppsThatAreAway(SystemTest):
    def start_two(self):
        self.default, self.other = NamedApp("default"), NamedApp("other")
        self.addCleanup(self.other.stop)
        self.start(self.default, wait="live", routes=[{"match": {"path": "/other"}, "upstream": {"url": self.other.url}}],
                   upstream={"connect_timeout": "100ms"})

    def status(self, path):
        return self.closing(HttpClient(("127.0.0.1", self.proxy.port))).ask(path).read_answer().status

    def ready(self, status):
        wait_until(lambda: self.proxy.get("/readyz")[0] == status, f"readiness to say {status}")

    def test_one_is_enough_to_be_ready_and_the_others_are_bad_gateways(self):
        self.start_two()
        self.ready(200)
        self.other.stop()
        self.assertEqual((self.status("/"), self.status("/other")), (200, 502))
        self.default.stop()
        self.ready(503)  # by then neither look is older than what was stopped
        again = NamedApp("other", self.other.address)
        self.addCleanup(again.stop)
        self.ready(200)
        self.assertEqual((self.status("/"), self.status("/other")), (502, 200))


class HostMap(SystemTest):
    """The map that IXWebSocket's proxy server takes, as routes: its keys are Hosts with their ports."""

    def test_each_host_goes_to_its_url(self):
        apps = {name: NamedApp(name) for name in ("echo", "bavarde", "usual")}
        for app in apps.values():
            self.addCleanup(app.stop)
        remote_urls = {"echo.localhost:8008": apps["echo"].url, "ws.localhost:8008": f"{apps['bavarde'].url}/publisher", "10.0.0.1": apps["bavarde"].url}
        self.start(apps["usual"], routes=[{"match": {"host": host.partition(":")[0]}, "upstream": {"url": url}} for host, url in remote_urls.items()])
        for host, name, target in (("echo.localhost:8008", "echo", "/x"), ("ws.localhost:8008", "bavarde", "/publisher/x"), ("10.0.0.1", "bavarde", "/x"),
                                   ("nobody.localhost:8008", "usual", "/x")):
            with self.subTest(host):
                client = self.closing(self.proxy.client()).open("/x", host=host)
                self.assertEqual((client.answer.get("X-App"), apps[name].requests[-1].target), (name, target))


if __name__ == "__main__":
    main()
