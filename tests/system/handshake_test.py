"""Opening a connection: what the app gets to see, what the client gets back, who is turned away (DESIGN section 3)."""

import re

from harness import EchoApp, SharedProxyTest, SystemTest, http_head, main


class Request(SharedProxyTest):
    def seen_by_app(self, path="/", **how):
        client, app = self.pair(path, **how)
        return app.request

    def test_path_and_query_are_passed_as_they_are(self):
        for path in ("/", "/chat/room%201?a=1&b=%2F&b=2", "/?x", "/a//b/../c;p=1"):
            with self.subTest(path=path):
                self.assertEqual(self.seen_by_app(path).target, path)

    def test_headers_and_cookies_are_passed_in_order_and_with_their_repeats(self):
        sent = [("Cookie", "session=abc; theme=dark"), ("Authorization", "Bearer t.o.k"), ("X-Twice", "one"),
                ("X-Twice", "two"), ("User-Agent", "tests/1.0"), ("Origin", "https://example.org")]
        request = self.seen_by_app(fields=sent)
        names = [name for name, _ in sent]
        self.assertEqual([field for field in request.fields if field[0] in names], sent)

    def test_host_key_and_version_are_the_client_s(self):
        request = self.seen_by_app(host="chat.example.org:8443")
        self.assertEqual(request.all("Host"), ["chat.example.org:8443"])
        self.assertEqual(request.all("Sec-WebSocket-Key"), [http_head.SAMPLE_KEY])
        self.assertEqual(request.all("Sec-WebSocket-Version"), ["13"])

    def test_it_is_an_upgrade_request(self):
        request = self.seen_by_app()
        self.assertEqual(request.first_line, "GET / HTTP/1.1")
        self.assertEqual([value.lower() for value in request.all("Upgrade")], ["websocket"])
        self.assertEqual([value.lower() for value in request.all("Connection")], ["upgrade"])

    def test_the_app_never_sees_an_extension_offer(self):
        for offer in (None, "permessage-deflate", "x-unknown", ["permessage-deflate", "x-other"]):
            with self.subTest(offer=offer):
                self.assertEqual(self.seen_by_app(extensions=offer).all("Sec-WebSocket-Extensions"), [])

    def test_hop_by_hop_headers_stay_with_the_proxy(self):
        request = self.seen_by_app(connection="keep-alive, Upgrade, X-Mine",
                                   fields=[("Keep-Alive", "timeout=5"), ("X-Mine", "1"), ("TE", "trailers"),
                                           ("Proxy-Connection", "keep-alive"), ("X-Yours", "2")])
        for name in ("Keep-Alive", "X-Mine", "TE", "Proxy-Connection"):
            self.assertEqual(request.all(name), [], name)
        self.assertEqual(request.all("X-Yours"), ["2"])
        self.assertEqual([value.lower() for value in request.all("Connection")], ["upgrade"])

    def test_the_app_learns_who_the_client_is_and_nobody_can_pretend(self):
        request = self.seen_by_app(host="chat.example.org",
                                   fields=[("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"),
                                           ("X-Forwarded-Host", "evil"), ("X-Request-Id", "mine")])
        self.assertEqual(request.all("X-Forwarded-For"), ["127.0.0.1"])
        self.assertEqual(request.all("X-Forwarded-Proto"), ["http"])
        self.assertEqual(request.all("X-Forwarded-Host"), ["chat.example.org"])
        [request_id] = request.all("X-Request-Id")
        self.assertNotEqual(request_id, "mine")
        self.assertGreaterEqual(len(request_id), 8)

    def test_every_connection_has_a_request_id_of_its_own(self):
        self.assertNotEqual(self.seen_by_app().get("X-Request-Id"), self.seen_by_app().get("X-Request-Id"))


class Answer(SharedProxyTest):
    def test_the_101_carries_the_right_accept_key_and_the_app_s_headers(self):
        client, _ = self.pair(answer=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-App", "yes")])
        self.assertEqual(client.answer.get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertEqual(client.answer.all("Set-Cookie"), ["a=1", "b=2"])
        self.assertEqual(client.answer.get("X-App"), "yes")

    def test_the_subprotocol_is_what_the_app_chose(self):
        client, app = self.pair(fields=[("Sec-WebSocket-Protocol", "soap, ocpp2.0.1"), ("Sec-WebSocket-Protocol", "wamp")],
                                answer=[("Sec-WebSocket-Protocol", "ocpp2.0.1")])
        self.assertEqual(re.split(r", *", ", ".join(app.request.all("Sec-WebSocket-Protocol"))), ["soap", "ocpp2.0.1", "wamp"])
        self.assertEqual(client.answer.all("Sec-WebSocket-Protocol"), ["ocpp2.0.1"])

    def test_no_subprotocol_when_the_app_chose_none(self):
        client, _ = self.pair(fields=[("Sec-WebSocket-Protocol", "soap")])
        self.assertEqual(client.answer.all("Sec-WebSocket-Protocol"), [])


class Refusal(SharedProxyTest):
    def refused(self, answer, *, then_close=False):
        client = self.closing(self.proxy.client())
        client.ask("/secret")
        app = self.closing(self.app.next())
        app.send_bytes(answer)
        if then_close:
            app.close()
        head = client.read_answer()
        return head, client

    def test_refusals_of_the_app_go_to_the_client_unchanged(self):
        for status in ("401 Unauthorized", "403 Forbidden", "404 Not Here", "302 Found", "503 Busy", "200 OK"):
            with self.subTest(status=status):
                body = b'{"why":"' + b"because " * 30 + b'"}'
                head = (f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
                        f"X-Odd-Case: Yes\r\nContent-Length: {len(body)}\r\n\r\n").encode()
                got, client = self.refused(head + body)
                self.assertEqual(got.raw, head)
                while len(client.buffer) < len(body):
                    client.receive_some()
                self.assertEqual(bytes(client.buffer), body)

    def test_a_refusal_in_chunks(self):
        head = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        got, client = self.refused(head + body)
        self.assertEqual(got.raw, head)
        while len(client.buffer) < len(body):
            client.receive_some()
        self.assertEqual(bytes(client.buffer), body)

    def test_a_refusal_that_ends_with_the_connection(self):
        head, body = b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n", b"go away " * 20_000
        got, client = self.refused(head + body, then_close=True)
        self.assertEqual(got.status, 401)
        self.assertEqual(client.read_to_end(), body)

    def test_a_refusal_without_a_body(self):
        got, client = self.refused(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(got.raw, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def test_interim_answers_before_the_101_are_not_the_answer(self):
        client = self.closing(self.proxy.client())
        client.ask()
        app = self.closing(self.app.next())
        app.send_bytes(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        app.accept()
        head = client.read_answer()
        while head.status in (100, 102, 103):  # passing them on is as good as keeping them
            head = client.read_answer()
        self.assertEqual(head.status, 101)

    def test_a_wrong_accept_key_is_a_bad_gateway(self):
        got, _ = self.refused(http_head.answer_101("AAAAAAAAAAAAAAAAAAAAAA=="))
        self.assertEqual(got.status, 502)

    def test_an_extension_that_nobody_offered_is_a_bad_gateway(self):
        got, _ = self.refused(http_head.answer_101(http_head.SAMPLE_KEY, [("Sec-WebSocket-Extensions", "permessage-deflate")]))
        self.assertEqual(got.status, 502)

    def test_an_answer_that_is_no_http_is_a_bad_gateway(self):
        for answer in (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"):
            with self.subTest(answer=answer):
                got, _ = self.refused(answer)
                self.assertEqual(got.status, 502)

    def test_an_app_that_hangs_up_instead_of_answering_is_a_bad_gateway(self):
        for answer in (b"", b"HTTP/1.1 101 Switch"):
            with self.subTest(answer=answer):
                got, _ = self.refused(answer, then_close=True)
                self.assertEqual(got.status, 502)


class NotAWebSocket(SharedProxyTest):
    settings = {"http": {"forward": False}}

    def answer_to(self, request):
        client = self.closing(self.proxy.client())
        client.send_bytes(request)
        head = client.read_answer()
        self.assertTrue(self.app.nobody_came(), "the app was asked")
        return head, client

    def test_a_plain_request_is_told_to_upgrade(self):
        head, _ = self.answer_to(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual(head.status, 426)
        self.assertEqual(head.get("Upgrade", "").lower(), "websocket")

    def test_a_post_is_told_to_upgrade_too(self):
        head, _ = self.answer_to(b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
        self.assertEqual(head.status, 426)

    def test_an_unknown_version_is_told_which_one_we_speak(self):
        head, _ = self.answer_to(http_head.request(sec_websocket_version="8"))
        self.assertEqual(head.status, 426)
        self.assertEqual(head.get("Sec-WebSocket-Version"), "13")

    def test_a_handshake_with_something_missing_or_wrong_is_refused(self):
        wrong = {
            "no key": http_head.request(without=["Sec-WebSocket-Key"]),
            "empty key": http_head.request(key=""),
            "short key": http_head.request(key="c2hvcnQ="),
            "key that is no base64": http_head.request(key="!!!!!!!!!!!!!!!!!!!!!!=="),
            "two keys": http_head.request(fields=[("Sec-WebSocket-Key", http_head.SAMPLE_KEY)]),
            "no version": http_head.request(without=["Sec-WebSocket-Version"]),
            "no connection": http_head.request(without=["Connection"]),
            "connection without upgrade": http_head.request(connection="keep-alive"),
            "other upgrade": http_head.request(upgrade="h2c"),
            "post": http_head.request(method="POST"),
            "HTTP/1.0": http_head.request(version="HTTP/1.0"),
        }
        for what, request in wrong.items():
            with self.subTest(what):
                head, _ = self.answer_to(request)
                self.assertIn(head.status, (400, 405, 426, 505))

    def test_what_is_no_http_is_a_bad_request(self):
        wrong = {
            "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            "no host": http_head.request(without=["Host"]),
            "two hosts": http_head.request(fields=[("Host", "other")]),
            "space before the colon": http_head.request().replace(b"Host:", b"Host :"),
            "folded line": http_head.request(fields=[("X-A", "1\r\n 2")]),
            "zero byte": http_head.request(fields=[("X-A", "1\x002")]),
            "smuggled length": http_head.request(fields=[("Content-Length", "3"), ("Transfer-Encoding", "chunked")]),
        }
        for what, request in wrong.items():
            with self.subTest(what):
                head, client = self.answer_to(request)
                self.assertEqual(head.status, 400)
                client.read_to_end()

    def test_upgrade_tokens_have_no_case_and_may_stand_in_a_list(self):
        client, _ = self.pair(connection="keep-alive, UPGRADE", upgrade="WebSocket")
        self.assertEqual(client.answer.status, 101)


class TrustedPeer(SharedProxyTest):
    settings = {"headers": {"trusted_proxies": ["127.0.0.0/8", "::1/128"]}}

    def test_what_a_trusted_proxy_says_about_the_client_is_kept(self):
        _, app = self.pair(fields=[("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https"),
                                   ("X-Forwarded-Host", "public.example.org"), ("X-Request-Id", "trace-1")])
        chain = re.split(r", *", ", ".join(app.request.all("X-Forwarded-For")))
        self.assertEqual(chain, ["203.0.113.9", "127.0.0.1"])
        self.assertEqual(app.request.all("X-Forwarded-Proto"), ["https"])
        self.assertEqual(app.request.all("X-Forwarded-Host"), ["public.example.org"])
        self.assertEqual(app.request.all("X-Request-Id"), ["trace-1"])


class Origins(SharedProxyTest):
    settings = {"limits": {"allowed_origins": ["https://good.example", "https://other.example:8443"]}}

    def test_an_origin_on_the_list_may_connect(self):
        for origin in self.settings["limits"]["allowed_origins"]:
            client, _ = self.pair(fields=[("Origin", origin)])
            self.assertEqual(client.answer.status, 101)

    def test_any_other_origin_is_forbidden_and_the_app_is_not_asked(self):
        for origin in ("https://evil.example", "http://good.example", "https://good.example.evil", "https://good.example:444",
                       "https://other.example", "null"):
            with self.subTest(origin=origin):
                client = self.closing(self.proxy.client())
                client.ask(fields=[("Origin", origin)])
                self.assertEqual(client.read_answer().status, 403)
                self.assertTrue(self.app.nobody_came())


class OriginsBelowAHost(SharedProxyTest):
    settings = {"limits": {"allowed_origins": ["https://*.good.example"]}}

    def test_every_origin_below_the_star_may_connect(self):
        for origin in ("https://a.good.example", "https://a.b.good.example", "https://A.GOOD.example:443"):
            client, _ = self.pair(fields=[("Origin", origin)])
            self.assertEqual(client.answer.status, 101)

    def test_any_other_is_forbidden(self):
        for origin in ("https://good.example", "https://evilgood.example", "http://a.good.example",
                       "https://a.good.example:444", "https://a.good.example.evil", "null"):
            with self.subTest(origin=origin):
                client = self.closing(self.proxy.client())
                client.ask(fields=[("Origin", origin)])
                self.assertEqual(client.read_answer().status, 403)
                self.assertTrue(self.app.nobody_came())


class BasePath(SystemTest):
    def test_the_path_of_the_upstream_url_stands_before_the_client_s(self):
        app = EchoApp()
        self.start(app, app_url=f"{app.url}/base/app")
        self.echo_client("/chat?x=1")
        self.assertEqual(app.requests[-1].target, "/base/app/chat?x=1")


if __name__ == "__main__":
    main()
