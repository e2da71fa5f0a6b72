"""Requests that are no WebSocket go to the app and its answers come back, byte by byte as they were (RFC 9110, RFC 9112)."""

from harness import HttpTest, SharedHttpTest, http_message, main
from harness.http_message import answer, request

# What the proxy adds to a request, and what belongs to one hop only (RFC 9110 section 7.6.1).
ADDED = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded", "x-request-id"}
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "upgrade"}


def end_to_end(head, without=ADDED | HOP_BY_HOP):
    return [field for field in head.fields if field[0].lower() not in without]


class Requests(SharedHttpTest):
    def test_every_method_goes_through(self):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "REPORT", "M-SEARCH",
                       "QUERY", "get", "X", "!#$%&'*+-.^_`|~09az", "VERYLONG" * 20):
            with self.subTest(method):
                side, body, got = self.exchange(request("/m", method), answer("299 Fine", body=b"" if method == "HEAD" else b"yes"), to=method)
                self.assertEqual(side.request.first_line, f"{method} /m HTTP/1.1")
                self.assertEqual((got.head.first_line, body.data), ("HTTP/1.1 299 Fine", b""))
                self.assertEqual(got.data, b"" if method == "HEAD" else b"yes")

    def test_targets_are_passed_as_they_are(self):
        for target in ("/", "/a/../b/./c//d", "/%7Euser/%2e%2e/x%00", "/?q", "/?", "/;p=1", "/a?b=c&d[]={e}|f^g'\"`<>", "/:80/@x",
                       "//elsewhere/path", "/http://other/", "/" + "long/" * 1500):
            with self.subTest(target[:50]):
                side, _, _ = self.exchange(request(target))
                self.assertEqual(side.request.first_line, f"GET {target} HTTP/1.1")
        side, _, _ = self.exchange(request("*", "OPTIONS"))
        self.assertEqual(side.request.first_line, "OPTIONS * HTTP/1.1")

    def test_the_absolute_form_means_the_same_as_the_origin_form(self):
        side, _, got = self.exchange(request("http://example.org/path?q", host="example.org"))  # 9112 3.2.2: MUST be accepted
        self.assertIn(side.request.target, ("/path?q", "http://example.org/path?q"))
        self.assertEqual(side.request.all("Host"), ["example.org"])
        self.assertEqual(got.status, 200)

    def test_end_to_end_headers_keep_order_case_and_repeats(self):
        sent = [("Host", "shop.example.org:8443"), ("X-b", "2"), ("x-A", "1"), ("X-b", "1"), ("Cookie", "a=1"), ("Cookie", "b=2"),
                ("accept", "*/*"), ("ACCEPT-encoding", "gzip, br"), ("Authorization", "Basic Og=="), ("Range", "bytes=0-"),
                ("X-Empty", ""), ("X-Text", "tab\tand  spaces"), ("X-Latin", "gr\xfc\xdfe"), ("X_Under", "score"), ("Via", "1.0 fred"),
                ("If-None-Match", 'W/"x", "y"'), ("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"), ("Trailer", "X-T"),
                ("X-Long", "x" * 6000), ("!#$%&'*+-.^_`|~", "an odd name"), ("Max-Forwards", "10"), ("Pragma", "no-cache")]
        side, _, _ = self.exchange(http_message.lines("GET / HTTP/1.1", sent))
        self.assertEqual(end_to_end(side.request), sent)

    def test_whitespace_around_values_means_nothing(self):
        side, _, _ = self.exchange(b"GET / HTTP/1.1\r\nHost:x\r\nA:1\r\nB: \t 2 \t \r\nC:\r\n\r\n")
        self.assertEqual(end_to_end(side.request), [("Host", "x"), ("A", "1"), ("B", "2"), ("C", "")])

    def test_headers_of_one_hop_stay_there(self):
        fields = [("Connection", "Keep-Alive, X-Mine ,close-not"), ("Connection", "x-other"), ("Keep-Alive", "timeout=5"), ("X-Mine", "1"),
                  ("x-OTHER", "2"), ("Proxy-Connection", "keep-alive"), ("TE", "trailers, deflate"), ("X-Yours", "3")]
        side, _, _ = self.exchange(request(fields=fields))
        self.assertEqual(end_to_end(side.request, ADDED | {"connection"}), [("Host", "localhost"), ("X-Yours", "3")])
        self.assertIn(side.request.get("Connection", "keep-alive").lower(), ("keep-alive", "close"))

    def test_bodies_of_both_kinds_and_any_size(self):
        for size in (0, 1, 2, 1023, 16383, 16384, 16385, 65536, 300_000):
            body = bytes(at * 7 % 251 for at in range(size))
            with self.subTest("content-length", size=size):
                side, got, _ = self.exchange(request("/b", "POST", body=body))
                self.assertEqual((side.request.all("Content-Length"), got.data), ([str(size)], body))
                self.assertEqual(side.request.all("Transfer-Encoding"), [])
            with self.subTest("chunked", size=size):
                pieces = [body[at: at + 1 + size // 3] for at in range(0, size, 1 + size // 3)]
                side, got, _ = self.exchange(request("/b", "PUT", chunks=pieces))
                self.assertEqual((side.request.all("Transfer-Encoding"), got.data), (["chunked"], body))
                self.assertEqual(side.request.all("Content-Length"), [])

    def test_a_get_may_have_a_body(self):
        _, got, _ = self.exchange(request("/search", "GET", body=b'{"query":{}}'))
        self.assertEqual(got.data, b'{"query":{}}')

    def test_chunks_in_every_shape_that_is_allowed(self):
        shapes = {
            "extensions": b'5;a;b=c;d="e;\\"f"\r\nhello\r\n0;last\r\n\r\n',
            "capital digits and leading zeros": b"00000A\r\n0123456789\r\n0000\r\n\r\n",
            "trailers": b"1\r\nx\r\n0\r\nX-Sum: abc\r\nx-sum: def\r\nX-Empty:\r\n\r\n",
            "a hundred of one byte": b"1\r\nz\r\n" * 100 + b"0\r\n\r\n",
        }
        for what, raw in shapes.items():
            for cut in (len(raw), 1):  # at once, and byte after byte
                with self.subTest(what, cut=cut):
                    client = self.client()
                    client.send_bytes(http_message.lines("POST / HTTP/1.1", [("Host", "x"), ("Transfer-Encoding", "Chunked")]))
                    side = self.app.next()
                    for at in range(0, len(raw), cut):
                        client.send_bytes(raw[at: at + cut])
                    body = side.body()
                    side.answer(body=b"")
                    self.assertEqual(client.read_answer().status, 200)
                    self.assertEqual(body.data, {"e": b"hello", "c": b"0123456789", "t": b"x", "a": b"z" * 100}[what[0]])
                    wanted = [("X-Sum", "abc"), ("x-sum", "def"), ("X-Empty", "")] if what == "trailers" else []
                    self.assertEqual(body.trailers, wanted)
                    self.assert_serves(client)

    def test_a_body_is_passed_on_while_it_comes(self):
        for head, pieces in (([("Content-Length", "9")], [b"one", b"two", b"six"]),
                             ([("Transfer-Encoding", "chunked")], [b"3\r\none\r\n", b"3\r\ntwo\r\n", b"3\r\nsix\r\n"])):
            with self.subTest(head=head):
                client = self.client()
                client.send_bytes(http_message.lines("POST / HTTP/1.1", [("Host", "x"), *head]))
                side = self.app.next()
                for piece in pieces:
                    client.send_bytes(piece)
                    self.assertEqual(side.take(len(piece)), piece)
                if head[0][0] == "Transfer-Encoding":
                    client.send_bytes(b"0\r\n\r\n")
                    self.assertEqual(side.take(5), b"0\r\n\r\n")
                side.answer(body=b"done")
                self.assertEqual(client.read_answer().data, b"done")

    def test_a_head_that_comes_byte_after_byte(self):
        client = self.client()
        for byte in request("/slow", "POST", fields=[("X-A", "b")], body=b"12345"):
            client.send_bytes(bytes([byte]))
        side = self.app.next()
        self.assertEqual((side.request.first_line, side.body().data), ("POST /slow HTTP/1.1", b"12345"))
        side.answer(body=b"")
        self.assertEqual(client.read_answer().status, 200)


class Answers(SharedHttpTest):
    def answered(self, raw, **how):
        return self.exchange(request("/a", how.get("to", "GET")), raw, **how)[2]

    def test_status_and_reason_are_the_app_s(self):
        for status in ("200 OK", "201 ", "202 Besch\xe4ftigt", "226 IM Used", "299 X", "302 Found", "404 not Here at all", "418 I'm a teapot",
                       "451 U", "500 Oops", "503 Busy", "599 Own", "777 Lucky"):
            with self.subTest(status):
                raw = http_message.lines(f"HTTP/1.1 {status}", [("Content-Length", "1")]) + b"x"
                self.assertEqual(self.answered(raw).head.first_line, f"HTTP/1.1 {status}")

    def test_end_to_end_headers_keep_order_case_and_repeats_and_nothing_is_added(self):
        sent = [("server", "old/1"), ("Date", "yesterday"), ("Set-Cookie", "a=1; Path=/"), ("X-Z", "1"), ("Set-Cookie", "b=2"), ("x-a", ""),
                ("Content-Type", "text/html"), ("ETAG", 'W/"1"'), ("X-Accel-Redirect", "/x"), ("X-Latin", "gr\xfc\xdfe"), ("Via", "1.1 app"),
                ("Strict-Transport-Security", "max-age=1"), ("X-Forwarded-For", "the app's own"), ("Content-Length", "0")]
        got = self.answered(http_message.lines("HTTP/1.1 200 OK", sent))
        self.assertEqual(end_to_end(got.head, HOP_BY_HOP), sent)

    def test_headers_of_one_hop_stay_there(self):
        fields = [("Connection", "keep-alive, X-Mine"), ("Keep-Alive", "timeout=5, max=9"), ("X-Mine", "1"), ("Proxy-Connection", "keep-alive"),
                  ("X-Yours", "2")]
        got = self.answered(answer(fields=fields, body=b""))
        self.assertEqual(end_to_end(got.head, {"connection"}), [("X-Yours", "2"), ("Content-Length", "0")])
        self.assertNotIn("x-mine", ",".join(got.head.all("Connection")).lower())

    def test_bodies_of_all_three_kinds_and_any_size(self):
        for size in (0, 1, 16384, 16385, 300_000):
            body = bytes(at * 5 % 253 for at in range(size))
            pieces = [body[at: at + 1 + size // 3] for at in range(0, size, 1 + size // 3)]
            with self.subTest("content-length", size=size):
                got = self.answered(answer(body=body))
                self.assertEqual((got.data, got.head.all("Content-Length"), got.closes), (body, [str(size)], False))
            with self.subTest("chunked", size=size):
                got = self.answered(answer(chunks=pieces))
                self.assertEqual((got.data, got.head.all("Transfer-Encoding"), got.closes), (body, ["chunked"], False))
            with self.subTest("until close", size=size):
                client = self.client().ask("/until")
                side = self.app.next()
                side.send_bytes(answer() + body)
                self.app.forget(side)
                got = client.read_answer()
                self.assertEqual((got.data, got.closes), (body, True))

    def test_chunks_with_extensions_and_trailers(self):
        got = self.answered(answer(chunks=[b"ab", b"c"], extension=";x=y", trailers=[("X-Sum", "1"), ("X-Sum", "2")]))
        self.assertEqual((got.data, got.body.trailers), (b"abc", [("X-Sum", "1"), ("X-Sum", "2")]))

    def test_a_body_is_passed_on_while_it_comes(self):
        for head, pieces in (([("Content-Length", "9")], [b"one", b"two", b"six"]), ([], [b"a", b"bc", b"def"]),
                             ([("Transfer-Encoding", "chunked")], [b"3\r\none\r\n", b"1\r\n2\r\n", b"0\r\n\r\n"])):
            with self.subTest(head=head):
                client = self.client().ask("/stream")
                side = self.app.next()
                side.send_bytes(http_message.lines("HTTP/1.1 200 OK", head))
                client.read_head()
                for piece in pieces:
                    side.send_bytes(piece)
                    self.assertEqual(client.take(len(piece)), piece)
                self.app.forget(side)

    def test_an_answer_that_comes_byte_after_byte(self):
        client = self.client().ask("/drip")
        side = self.app.next()
        for byte in answer("200 OK", chunks=[b"hello"], trailers=[("A", "b")]):
            side.send_bytes(bytes([byte]))
        side.waits = True
        got = client.read_answer()
        self.assertEqual((got.data, got.body.trailers), (b"hello", [("A", "b")]))
        self.assert_serves(client)

    def test_answers_without_a_body_whatever_their_headers_say(self):
        for to, status, fields in (("HEAD", "200 OK", [("Content-Length", "1000")]), ("HEAD", "200 OK", [("Transfer-Encoding", "chunked")]),
                                   ("HEAD", "200 OK", []), ("GET", "204 No Content", []), ("GET", "304 Not Modified", [("Content-Length", "1000")]),
                                   ("GET", "304 Not Modified", []), ("HEAD", "404 No", [("Content-Length", "3")])):
            with self.subTest(f"{status} to {to}", fields=fields):
                client = self.client()
                got = self.answered(http_message.lines(f"HTTP/1.1 {status}", fields), to=to, client=client)
                self.assertEqual([field for field in got.head.fields if field[0] != "Connection"], fields)
                self.assertFalse(got.closes)
                self.assert_serves(client)  # at once, and where the last answer ended

    def test_interim_answers_come_before_the_final_one(self):
        hints = answer("103 Early Hints", fields=[("Link", "</a.css>; rel=preload"), ("Link", "</b.js>")])
        got = self.answered(hints + answer("102 Processing") + hints + answer(body=b"page"))
        self.assertEqual([head.status for head in got.interim], [103, 102, 103])
        self.assertEqual(got.interim[0].all("Link"), ["</a.css>; rel=preload", "</b.js>"])
        self.assertEqual((got.status, got.data), (200, b"page"))

    def test_an_interim_answer_does_not_wait_for_the_final_one(self):
        client = self.client().ask("/hints")
        side = self.app.next()
        side.send_bytes(answer("103 Early Hints"))
        self.assertEqual(client.read_head().status, 103)
        side.answer(body=b"")
        self.assertEqual(client.read_answer().status, 200)


class Refused(SharedHttpTest):
    def test_other_upgrades_and_connect_are_501(self):
        upgrade = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA")]
        for what, raw in {"h2c": request(fields=upgrade), "TLS": request(fields=[("Connection", "Upgrade"), ("Upgrade", "TLS/1.0")]),
                          "CONNECT": request("example.org:443", "CONNECT", host="example.org:443")}.items():
            with self.subTest(what):
                client = self.client()
                client.send_bytes(raw)
                self.assertEqual(client.read_answer().status, 501)
                self.assert_serves()
                self.assertEqual(self.app.unread(), b"")

    def test_max_forwards_is_counted_down_and_0_goes_no_further(self):
        for method, status in (("OPTIONS", 200), ("TRACE", 501)):  # RFC 9110 section 7.6.2
            with self.subTest(method):
                side, _, _ = self.exchange(request("/", method, fields=[("Max-Forwards", "2")]))
                self.assertEqual(side.request.all("Max-Forwards"), ["1"])
                client = self.client().ask("/", method, fields=[("Max-Forwards", "0")])
                self.assertEqual(client.read_answer().status, status)
                self.assertEqual(self.app.unread(), b"")


class ForwardingOff(HttpTest):
    def test_426_says_what_would_be_taken(self):
        self.start(http={"forward": False})
        for raw in (request("/page"), request("/", "POST", body=b"x"), request("/", fields=[("Connection", "Upgrade"), ("Upgrade", "h2c")])):
            with self.subTest(raw[:20]):
                before = self.rejected("not_websocket")
                client = self.client()
                client.send_bytes(raw)
                got = client.read_answer()
                self.assertEqual((got.status, got.head.get("Upgrade")), (426, "websocket"))
                self.assertIn("upgrade", got.head.get("Connection").lower())
                self.assertEqual(self.rejected("not_websocket"), before + 1)
        self.assertEqual(self.app.unread(), b"")


if __name__ == "__main__":
    main()
