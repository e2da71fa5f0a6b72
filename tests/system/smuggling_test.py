"""Requests that two readers could read in two ways: refused, and the app sees not one byte of them (RFC 9112 section 11.2)."""


from harness import Ended, SharedHttpTest, http_message, main
from harness.http_message import answer, lines, request

HIDDEN = request("/smuggled", host="x")
OK_HEAD = [("Host", "x")]


def get(*raw_lines):
    """A request of these lines as they stand, and a body of five bytes that some lengths would mean."""
    return b"\r\n".join([b"GET / HTTP/1.1", b"Host: x", *raw_lines, b"", b"hello"])


def post(raw_lines, body):
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: x", *raw_lines, b"", b""]) + body


CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

LENGTHS = {
    "CL.TE": post([b"Content-Length: 15", CHUNKED], CHUNKS),
    "TE.CL": post([CHUNKED, b"Content-Length: 5"], CHUNKS),
    "CL.TE with a length of zero": post([b"Content-Length: 0", CHUNKED], CHUNKS),
    "TE in capitals and CL": post([b"Content-Length: 5", b"TRANSFER-ENCODING: CHUNKED"], CHUNKS),
    "two lengths": post([b"Content-Length: 5", b"Content-Length: 6"], b"hello"),
    "two lengths, one of zero": post([b"Content-Length: 0", b"Content-Length: 5"], b"hello"),
    "two lengths in capitals and not": post([b"Content-Length: 5", b"content-length: 05 6"], b"hello"),
    **{f"a length of {value!r}": post([b"Content-Length: " + value], b"hello")
       for value in (b"", b"+5", b"-5", b"-0", b"0x5", b"5a", b"a", b"5 5", b"5;", b"5.0", b"1e1", b"'5'", b'"5"', b"5, 6", b"5,", b",5", b"0, 5",
                     b"5\x00", b"5\x0b", b"\xb25", b"\xef\xbc\x95", b"18446744073709551616", b"18446744073709551621", b"9" * 40)},
}

CODINGS = {
    **{f"a coding of {value!r}": post([b"Transfer-Encoding: " + value], CHUNKS)
       for value in (b"", b"identity", b"gzip", b"chunked, identity", b"chunked, chunked", b"chunked, gzip", b"gzip, chunked", b"xchunked", b"chunkedx",
                     b"x-chunked", b"chunked;q=1", b'"chunked"', b"'chunked'", b"chunked chunked", b"chunked\x00", b"\x00chunked", b"\x0bchunked",
                     b"chunked\x0b", b"ch\xfcnked", b",chunked;", b"cow", b"identity, chunked")},
    "two codings": post([CHUNKED, CHUNKED], CHUNKS),
    "chunked and identity": post([CHUNKED, b"Transfer-Encoding: identity"], CHUNKS),
    "identity and chunked": post([b"Transfer-Encoding: identity", CHUNKED], CHUNKS),
    "chunked and nothing": post([CHUNKED, b"Transfer-Encoding:"], CHUNKS),
    "a space before the colon": post([b"Transfer-Encoding : chunked"], CHUNKS),
    "a tab before the colon": post([b"Transfer-Encoding\t: chunked"], CHUNKS),
    "a coding on the next line": post([b"Transfer-Encoding:\r\n chunked"], CHUNKS),
    "a name on the line before": post([b"X: y", b" Transfer-Encoding: chunked"], CHUNKS),
    "a bare CR before it": post([b"X: y\rTransfer-Encoding: chunked"], CHUNKS),
    "a bare LF before it": post([b"X: y\nTransfer-Encoding: chunked"], CHUNKS),
    "a NUL in its name": post([b"Transfer-Enc\x00oding: chunked"], CHUNKS),
    "HTTP/1.0": b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
}

FIELDS = {
    **{f"a line {line!r}": get(line)
       for line in (b"X-A : b", b"X-A\t: b", b" X-A: b", b"\tX-A: b", b"X-A: b\r\n c", b"X-A: b\r\n\tc", b"X-A: b\r\n ", b"X-A", b": b", b"", b"X-A: b\rc",
                    b"X-A: b\nX-B: c", b"X-A: b\r", b"X-A: \x00", b"X-\x00A: b", b"X-A: \x01", b"X-A: \x08b", b"X-A: \x7f", b"X-A: \x1b[31m", b"X(A): b",
                    b"X A: b", b"X/A: b", b"X@A: b", b"X\xfc: b", b'"X": b', b"X[0]: b", b"\x0bX: b", b"X-A;: b", b"X-A=: b", b"{X}: b")
       if line},
    "a space before the first field": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "two Hosts": get(b"Host: y"),
    "two Hosts, the same": get(b"Host: x"),
    "two Hosts, one in capitals": get(b"HOST: y"),
    "no Host": b"GET / HTTP/1.1\r\nX-A: b\r\n\r\n",
    **{f"a Host of {value!r}": b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"
       for value in (b"a b", b"a/b", b"user@host", b"a,b", b"a?b", b"a#b", b"[::1", b"::1]", b"a:b:c", b"a:80:80", b"a:x", b"a:-1", b"a\\b", b"<a>", b"[a]:80x",
                     b"http://x")},
    "lines that end in LF": b"GET / HTTP/1.1\nHost: x\n\n",
    "one line that ends in LF": b"GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
    "a head that ends in LF": b"GET / HTTP/1.1\r\nHost: x\r\n\n",
    "lines that end in CR": b"GET / HTTP/1.1\rHost: x\r\r",
    "CR CR LF": b"GET / HTTP/1.1\r\r\nHost: x\r\n\r\n",
}

FIRST_LINES = {
    f"a first line {line!r}": line + b"\r\nHost: x\r\n\r\n"
    for line in (b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b"GET\t/ HTTP/1.1", b"GET /\tHTTP/1.1", b" GET / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET / HTTP/1.1\t",
                 b"GET / HTTP/1.1 x", b"GET / http/1.1", b"GET / HTTP/1.", b"GET / HTTP/.1", b"GET / HTTP/1", b"GET / HTTP/11", b"GET / HTTP/1.10",
                 b"GET / HTTP/01.1", b"GET / HTTP/1.01", b"GET / HTTP/1.1x", b"GET / HTTP/1.x", b"GET / HTTP/ 1.1", b"GET / HTTPS/1.1", b"GET / HTTP-1.1",
                 b"GET / ICY/1.1", b"GET / HTTP/-1.1", b"GET / HTTP/1.\xb9", b"GET /", b"GET / ", b"GET", b"GET ", b"/", b"/ HTTP/1.1", b"GET HTTP/1.1",
                 b"G(T / HTTP/1.1", b"G,T / HTTP/1.1", b"G\x00T / HTTP/1.1", b"G\xfcT / HTTP/1.1", b'"GET" / HTTP/1.1', b"GET: / HTTP/1.1",
                 b"GET /a b HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /\x01 HTTP/1.1", b"GET /\x7f HTTP/1.1", b"GET /a\rb HTTP/1.1", b"GET /a\nb HTTP/1.1",
                 b"GET x HTTP/1.1", b"GET . HTTP/1.1", b"GET ?q HTTP/1.1", b"GET #a HTTP/1.1", b"GET /a#b HTTP/1.1", b"GET * HTTP/1.1", b"POST * HTTP/1.1",
                 b"GET *x HTTP/1.1", b"OPTIONS *x HTTP/1.1", b"GET x:80 HTTP/1.1", b"GET http:// HTTP/1.1", b"GET http:///a HTTP/1.1", b"GET http:/a HTTP/1.1",
                 b"GET ://x/ HTTP/1.1", b"GET http://u@x/ HTTP/1.1", b"GET http://x:y/ HTTP/1.1")
}
# What says itself to be another protocol may also be told so.
OTHERS = {
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/2": b"GET / HTTP/2\r\nHost: x\r\n\r\n",
    "HTTP/3.0": b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\nHost: x\r\n\r\n",
    "HTTP/0.9's only line": b"GET /\r\n\r\n",
    "TLS": b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03" + bytes(range(32)) * 8 + b"\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "PROXY without being asked": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n" + request(),
    "PROXY v2 without being asked": b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00" + request(),
}


class Requests(SharedHttpTest):
    def refused(self, what, raw, statuses):
        self.app.forget_all()
        before, seen = self.rejected("bad_request"), len(self.proxy.lines)
        client = self.client()
        try:
            client.send_bytes(raw + HIDDEN)
        except Ended:
            pass
        got = client.read_answer()
        self.assertIn(got.status, statuses, what)
        self.assertTrue(got.closes)
        self.assertEqual(client.read_to_end(), b"", "it went on")
        self.assert_serves()
        self.assertEqual(self.app.unread(), b"", "the app got something")
        if got.status == 400:
            self.assertEqual(self.rejected("bad_request"), before + 1)
        client.close()
        self.proxy.wait_for_line(rf'"message":"access".*"status":{got.status}\b.*"cause":"[^"]+"', after=seen)

    def all_refused(self, table, statuses=(400,)):
        for what, raw in table.items():
            with self.subTest(what):
                self.refused(what, raw, statuses)

    def test_lengths_that_are_ambiguous_or_malformed(self):
        self.all_refused(LENGTHS)

    def test_codings_that_are_not_just_chunked(self):
        self.all_refused(CODINGS, (400, 501))  # 9112 6.1: a coding that one does not know is 501

    def test_fields_that_are_malformed(self):
        self.all_refused(FIELDS)

    def test_first_lines_that_are_malformed(self):
        self.all_refused(FIRST_LINES)

    def test_what_is_another_protocol(self):
        self.all_refused(OTHERS, (400, 505))

    def test_the_second_request_of_a_connection_is_looked_at_as_closely(self):
        for what in ("CL.TE", "a length of b'+5'", "two codings", "a space before the colon", "two Hosts", "a first line b'GET / HTTP/1.10'"):
            with self.subTest(what):
                raw = {**LENGTHS, **CODINGS, **FIELDS, **FIRST_LINES}[what]
                client = self.client()
                self.exchange(request("/good"), client=client)
                client.send_bytes(raw + HIDDEN)
                self.assertEqual(client.read_answer().status, 400)
                self.assertEqual(client.read_to_end(), b"")
                self.assert_serves()
                self.assertEqual(self.app.unread(), b"")

    def test_an_upgrade_is_looked_at_as_closely(self):
        upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        for what, line in (("CL.TE", b"Content-Length: 5\r\nTransfer-Encoding: chunked"), ("two Hosts", b"Host: y"), ("fold", b"X: y\r\n z"),
                           ("a bare LF", b"X: y\nZ: z"), ("a length", b"Content-Length: +5"), ("a coding", b"Transfer-Encoding: xchunked")):
            with self.subTest(what):
                self.refused(what, get(upgrade, line), (400, 501))

    def test_the_same_length_twice_is_refused_or_sent_on_once(self):
        for raw in (b"Content-Length: 5\r\nContent-Length: 5", b"Content-Length: 5, 5"):  # 9110 8.6 leaves the choice
            with self.subTest(raw):
                self.app.forget_all()
                client = self.client()
                client.send_bytes(post([raw], b"hello") + request("/next"))
                if self.app.is_asked_before(client):
                    side = self.app.next()
                    self.assertEqual((side.request.all("Content-Length"), side.body().data), (["5"], b"hello"))
                    side.answer(body=b"")
                    self.assertEqual(client.read_answer().status, 200)
                    self.assertEqual(self.app.next().request.target, "/next")
                else:
                    self.assertEqual(client.read_answer().status, 400)
                    self.assertEqual(client.read_to_end(), b"")
                    self.assertEqual(self.app.unread(), b"")


CHUNKS_GONE_WRONG = {
    **{f"a size of {size!r}": size + b"\r\nhello\r\n0\r\n\r\n"
       for size in (b"0x5", b"+5", b"-5", b" 5", b"5 ", b"\t5", b"5\t", b"5g", b"g", b"", b";x", b"5.0", b"5,5", b"\xb2", b"5\x00", b"5\x0b", b"5\r", b"5\n",
                    b"FFFFFFFFFFFFFFFF", b"10000000000000005", b"F" * 40, b"5;a\rb", b"5;a\nb", b"5;\x00", b"5;a\x7f", b"5 \r")},
    "a size that ends in LF": b"5\nhello\r\n0\r\n\r\n",
    "a size that ends in CR": b"5\rhello\r\n0\r\n\r\n",
    "a chunk longer than its size": b"4\r\nhello\r\n0\r\n\r\n",
    "a chunk shorter than its size": b"6\r\nhello\r\n0\r\n\r\n",
    "a chunk that ends in LF": b"5\r\nhello\n0\r\n\r\n",
    "a chunk that ends in CR": b"5\r\nhello\r0\r\n\r\n",
    "a chunk that ends in nothing": b"5\r\nhello0\r\n\r\n",
    "an extension without an end": b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
    "leading zeros without an end": b"0" * 100_000 + b"5\r\nhello\r\n0\r\n\r\n",
    "trailers without an end": b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    **{f"a trailer {line!r}": b"5\r\nhello\r\n0\r\n" + line + b"\r\n\r\n"
       for line in (b"X", b"X : y", b" X: y", b"X: y\r\n z", b"X: y\rz", b"X: y\nZ: z", b"X: \x00", b": y", b"X(: y")},
    "a last line that ends in LF": b"5\r\nhello\r\n0\r\n\n",
    "a last size that ends in LF": b"5\r\nhello\r\n0\n\r\n",
}


class Chunks(SharedHttpTest):
    def test_a_chunk_gone_wrong_cuts_the_app_off_and_is_400_or_a_cut(self):
        for what, chunks in CHUNKS_GONE_WRONG.items():
            for apart in (False, True):  # in one go with the head, and after the app has it
                with self.subTest(what, apart=apart):
                    self.gone_wrong(chunks, apart)

    def gone_wrong(self, chunks, apart):
        self.app.forget_all()
        client = self.client()
        head = lines("POST / HTTP/1.1", [*OK_HEAD, ("Transfer-Encoding", "chunked")])
        client.send_bytes(head if apart else head + chunks + HIDDEN)
        if apart:
            side = self.app.next()
            try:
                client.send_bytes(chunks + HIDDEN)
            except Ended:
                pass
        self.assertRegex(client.read_to_end(), rb"\A(HTTP/1.1 (400|431) (?s:.*))?\Z")
        came = self.app.read_all_to_end()
        self.assertNotIn(b"smuggled", came)
        self.assertFalse(came.endswith(b"\r\n0\r\n\r\n"), "the app got a whole request")
        self.assert_serves()


class Answers(SharedHttpTest):
    def answered(self, raw):
        """What the client gets, all of it, when the app answers that."""
        self.app.forget_all()
        client = self.client().ask("/", "GET", fields=[("Connection", "close")])
        side = self.app.next()
        try:
            side.send_bytes(raw)
        except Ended:
            pass
        return client.read_to_end(), side

    def test_heads_that_are_malformed_are_a_bad_gateway(self):
        tail = b"\r\n\r\nSECRET"
        heads = {b"HTTP/1.1 200 OK\r\n" + line: None for line in (
            b"Content-Length: 6\r\nTransfer-Encoding: chunked", b"Content-Length: 6\r\nContent-Length: 7", b"Content-Length: +6", b"Content-Length: 6, 7",
            b"Content-Length: 0x6", b"Content-Length: -1", b"Content-Length:", b"Content-Length: 99999999999999999999999", b"Transfer-Encoding: chunked, chunked",
            b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Transfer-Encoding : chunked",
            b"X : y", b"X: y\r\n z", b" X: y", b"X: y\rz", b"X: y\nz: a", b"X: \x00", b"X\x00: y", b"X", b": y", b"X(: y", b"X: \x01")}
        heads |= dict.fromkeys((b"SSH-2.0-OpenSSH", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 abc OK", b"HTTP/1.1  200 OK",
                                b"HTTP/1.1 -20 OK", b"HTTP/2.0 200 OK", b"HTTP/0.9 200 OK", b"http/1.1 200 OK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK",
                                b"HTTP/1.1 099 X", b"HTTP/1.1 000 X", b"HTTP/1.10 200 OK", b" HTTP/1.1 200 OK", b"HTTP/1.1\t200 OK", b"<html>hello</html>",
                                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket", b"HTTP/1.1 200 OK\nX: y"))
        for head in heads:
            with self.subTest(head):
                before = self.upstream_errors("bad_response")
                got, side = self.answered(head + tail)
                self.assertRegex(got, rb"\AHTTP/1.1 502 ")
                self.assertNotIn(b"SECRET", got)
                self.assertEqual(self.upstream_errors("bad_response"), before + 1)
                self.assertIsNot(self.assert_serves(), side)

    def test_a_chunk_gone_wrong_is_a_cut_and_the_rest_is_not_seen(self):
        for what, chunks in CHUNKS_GONE_WRONG.items():
            with self.subTest(what):
                got, side = self.answered(answer()[:-2] + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + answer(body=b"SECRET"))
                self.assertNotIn(b"SECRET", got)
                self.assertFalse(got.endswith(b"\r\n0\r\n\r\n"), "the client got a whole answer")
                self.assertIsNot(self.assert_serves(), side)

    def test_what_stands_behind_an_answer_is_nobody_s(self):
        for what, raw, to in (("length", answer(body=b"hello"), "GET"), ("chunks", answer(chunks=[b"hello"]), "GET"), ("HEAD", answer(body=b""), "HEAD"),
                              ("204", answer("204 No Content"), "GET"), ("304", answer("304 Not Modified", fields=[("Content-Length", "5")]), "GET")):
            with self.subTest(what):
                client = self.client()
                side, _, _ = self.exchange(request("/", to), raw + answer(body=b"SECRET"), client=client, to=to)
                again, _, got = self.exchange(request("/again"), answer(body=b"mine"), client=client)
                self.assertIsNot(again, side)
                self.assertEqual(got.data, b"mine")


if __name__ == "__main__":
    main()
