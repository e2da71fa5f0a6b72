"""A few hundred generated exchanges through wsproxy and through nginx to the same app: both ends see the same.

Where they may differ, and why, stands in ALLOWED. Not generated is what nginx 1.22 refuses or takes away and wsproxy passes
on (trailers, interim answers, Expect, methods in small letters), and what only wsproxy treats as RFC 9110 says (headers that
Connection names, Max-Forwards).
"""

import dataclasses
import difflib
import os
import random
import threading
import unittest

from harness import Ended, HttpClient, HttpWire, SystemTest, main
from harness.app import ListeningApp
from harness.http_message import answer, lines, request
from harness.nginx import NGINX, Nginx

SEED = int(os.environ.get("WSPROXY_TEST_SEED", "3"))
EXCHANGES = 400

ALLOWED = {
    "order": "nginx writes some fields in its own place and letters; their values are compared, their place is not",
    "date and server": "nginx adds them when the app gave none",
    "until close": "what the app ends by closing, nginx sends in chunks to a client of HTTP/1.1; wsproxy closes too",
    "chunks of a request": "nginx gives a body that has come whole a length; wsproxy leaves it in chunks",
}
# By small letters; of requests and of answers.
PLACED_BY_NGINX = {"host", "content-length", "transfer-encoding"}, {
    "date", "server", "content-type", "content-length", "transfer-encoding", "last-modified", "location", "etag", "content-encoding", "accept-ranges",
    "www-authenticate", "cache-control", "expires", "link"}
ADDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded", "x-request-id")
OF_THE_HOP = {"connection", "keep-alive"}


@dataclasses.dataclass
class Exchange:
    request: bytes
    method: str
    client_closes: bool
    answer: bytes
    app_closes: bool
    until_close: bool  # the answer has no length

    @property
    def ends_connection(self):
        chunks_for_old = b" HTTP/1.0\r\n" in self.request and b"\r\nTransfer-Encoding: chunked" in self.answer
        return self.client_closes or self.until_close or chunks_for_old


METHODS = ["GET"] * 6 + ["POST"] * 4 + ["HEAD", "HEAD", "PUT", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "REPORT", "M-SEARCH"]
PIECES = ["a", "B2", "order", "%20", "%2F", "%e4", "..", ".", "~x", "-", "_", ";v=1", "@", ":", "*", "'", "(x)", "!$", "+", ",", "=", "[]", "{}", "|", "^"]
NAMES = ["Accept", "accept-language", "Cookie", "cookie", "Authorization", "X-One", "x-one", "X-TWO", "X_Under", "User-Agent", "Referer", "Origin", "Range",
         "If-None-Match", "If-Modified-Since", "traceparent", "Via", "Pragma", "Cache-Control", "Content-Type", "Accept-Encoding", "!#$%&'*+-.^_`|~",
         "Proxy-Authorization", "Early-Data", "DNT", "Sec-Fetch-Mode"]
ANSWER_NAMES = ["Content-Type", "ETag", "Last-Modified", "Cache-Control", "Set-Cookie", "set-cookie", "Vary", "X-One", "x-one", "X-TWO", "X_Under", "Date",
                "Server", "Location", "Content-Language", "Content-Disposition", "Link", "Via", "Age", "Allow", "WWW-Authenticate", "Retry-After",
                "Access-Control-Allow-Origin", "Strict-Transport-Security", "Alt-Svc", "Warning", "Accept-Ranges", "Content-Encoding"]
ONCE = {"user-agent", "authorization", "range", "if-none-match", "if-modified-since", "referer", "content-type", "etag", "last-modified", "date", "server",
        "location", "origin", "proxy-authorization", "content-encoding", "accept-ranges", "www-authenticate", "age", "retry-after"}
STATUSES = ["200 OK"] * 8 + ["200 Fine by me", "201 Created", "202 Accepted", "204 No Content", "206 Partial Content", "299 Odd", "301 Moved", "302 Found",
                             "304 Not Modified", "400 Bad Request", "401 Unauthorized", "404 Not Found", "404 gr\xfc\xdfe", "405 No", "410 Gone", "418 I'm a teapot",
                             "429 Slow", "500 Internal Server Error", "502 Bad", "503 Later", "599 Last"]
VALUES = ["", "1", "a, b", "text/html; charset=utf-8", 'W/"x"', "two  spaces\tand a tab", "gr\xfc\xdfe", "=;,\"'\\", "Sun, 06 Nov 1994 08:49:37 GMT", "x" * 1000]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def fields(self, names):
        chosen, used = [], set()
        for _ in range(self.random.randrange(12)):
            name = self.random.choice(names)
            if name.lower() not in used or name.lower() not in ONCE:
                chosen.append((name, self.random.choice(VALUES[1:] if name.lower() in ONCE else VALUES)))
            used.add(name.lower())
        return chosen

    def body(self):
        size = self.random.choice([0, 1, 10, 100, 1000, 5000, 20_000, 70_000])
        return self.random.randbytes(size)

    def framed(self, kinds):
        """How a body goes into a message: as its length, in chunks, or not at all."""
        kind, body = self.random.choice(kinds), self.body()
        if kind == "length":
            return {"body": body}
        if kind == "chunks":
            step = self.random.randrange(1 + len(body) // 5, 2 + len(body))
            return {"chunks": [body[at: at + step] for at in range(0, len(body), step)]}
        return {}

    def target(self):
        segments = ["".join(self.random.choices(PIECES, k=self.random.randrange(1, 4))) for _ in range(self.random.randrange(4))]
        path = "/top/of/all/" + "/".join(segments)  # deep enough that no .. leads out of it
        return path + self.random.choice(["", "", "?", "?q=1", "?a=b&c[]=%20{}|'", "?/x?y"])

    def exchange(self, number):
        method = self.random.choice(METHODS)
        old = self.random.random() < 0.1
        closes = self.random.random() < 0.1
        connection = [("Connection", "close")] if closes else [("Connection", "keep-alive")] if old and self.random.random() < 0.5 else []
        kinds = ["none"] * 3 if method in ("GET", "HEAD") else ["length", "chunks", "none"]
        if old:
            kinds = ["none" if kind == "chunks" else kind for kind in kinds]
        asked = request(self.target(), method, host=f"Shop{number}.example:80", version="HTTP/1.0" if old else "HTTP/1.1",
                        fields=[("X-Exchange", str(number)), *self.fields(NAMES), *connection], **self.framed(kinds))
        return Exchange(asked, method, closes or (old and not connection), *self.answer(method))

    def answer(self, method):
        """Its bytes, whether the app then closes, whether that is the end of the body."""
        status, fields = self.random.choice(STATUSES), self.fields(ANSWER_NAMES)
        version = self.random.choice(["HTTP/1.1"] * 9 + ["HTTP/1.0"])
        closes = self.random.random() < 0.15
        connection = [("Connection", "close")] if closes else [("Connection", "keep-alive")] if version == "HTTP/1.0" else []
        if status[:3] in ("204", "304"):
            return lines(f"{version} {status}", [*fields, *connection]), closes, False
        if method == "HEAD":
            return lines(f"{version} {status}", [*fields, *connection, ("Content-Length", "1234")]), closes, False
        how = self.framed(["length"] * 6 + (["chunks"] * 3 if version == "HTTP/1.1" else []) + ["close"])
        if how:
            return answer(status, fields=[*fields, *connection], version=version, **how), closes, False
        return lines(f"{version} {status}", [*fields, ("Connection", "close")]) + self.body(), True, True


class ScriptedApp(ListeningApp):
    """Answers as the exchange says and keeps what it saw."""

    def __init__(self, exchanges):
        super().__init__()
        self.exchanges, self.seen = exchanges, {}
        threading.Thread(target=self._accept_all, daemon=True).start()

    def _accept_all(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(HttpWire(sock),), daemon=True).start()

    def _serve(self, side):
        try:
            while True:
                head = side.read_head(60)
                number = int(head.get("X-Exchange"))
                self.seen[number] = head, side.read_body(head)
                side.send_bytes(self.exchanges[number].answer)
                if self.exchanges[number].app_closes:
                    break
        except (Ended, TimeoutError, OSError):
            pass
        side.close()


def split(fields, moved, without):
    """The fields whose place counts, and those whose place does not."""
    rest = [field for field in fields if field[0].lower() not in without]
    return ([field for field in rest if field[0].lower() not in moved],
            sorted((name.lower(), value) for name, value in rest if name.lower() in moved))


def app_view(exchange, head, body, port):
    framing = {"content-length", "transfer-encoding"} if b"\r\nTransfer-Encoding" in exchange.request else ()  # ALLOWED: chunks of a request
    kept, placed = split(head.fields, PLACED_BY_NGINX[0], {*ADDED, *OF_THE_HOP, *framing})
    added = [(name, head.all(name)) for name in ADDED]
    added[3] = (ADDED[3], [value.replace(str(port), "OUR PORT") for value in added[3][1]])
    added[5] = (ADDED[5], [len(value) for value in added[5][1]])
    return [head.first_line, *kept, *placed, *added, body.data]


def client_view(exchange, got):
    without = {*OF_THE_HOP}
    own = {line.partition(b":")[0].strip().lower() for line in exchange.answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]}
    without |= {name for name in ("date", "server") if name.encode() not in own}  # ALLOWED: date and server
    if exchange.until_close:
        without.add("transfer-encoding")  # ALLOWED: until close
    kept, placed = split(got.head.fields, PLACED_BY_NGINX[1], without)
    return [got.head.first_line, *kept, *placed, "closes" if got.closes or exchange.until_close else "stays", got.data]


@unittest.skipUnless(NGINX, "no nginx here: see scripts/install-packages")
class Differential(SystemTest):
    def views(self, port, exchanges, app):
        """For each exchange what the app and what the client saw; some are sent in one go."""
        app.seen, views, chooser, at = {}, [], random.Random(SEED), 0
        client = None
        while at < len(exchanges):
            client = client or self.closing(HttpClient(("127.0.0.1", port)))
            group = [exchanges[at]]
            while len(group) < chooser.choice([1, 1, 1, 2, 4]) and not group[-1].ends_connection and at + len(group) < len(exchanges):
                group.append(exchanges[at + len(group)])
            client.send_bytes(b"".join(exchange.request for exchange in group))
            for exchange in group:
                got = client.read_answer(exchange.method)
                views.append((app_view(exchange, *app.seen[len(views)], port), client_view(exchange, got)))
            at += len(group)
            if got.closes or group[-1].ends_connection:
                if got.closes:
                    self.assertEqual(client.read_to_end(), b"")
                client.close()
                client = None
        return views

    def test_both_ends_see_the_same_through_either(self):
        generator = Generator(SEED)
        exchanges = [generator.exchange(number) for number in range(EXCHANGES)]
        self.start(ScriptedApp(exchanges))
        nginx = Nginx(self.app.address)
        self.addCleanup(nginx.stop)
        ours, theirs = [self.views(port, exchanges, self.app) for port in (self.proxy.port, nginx.port)]
        for number, exchange in enumerate(exchanges):
            for at, who in enumerate(("app", "client")):
                with self.subTest(f"what the {who} sees", number=number, seed=SEED):
                    self.assert_same(ours[number][at], theirs[number][at], exchange)

    def assert_same(self, ours, theirs, exchange):
        if ours != theirs:
            words = [[repr(item)[:200] for item in view] for view in (theirs, ours)]
            diff = "\n".join(difflib.unified_diff(*words, "nginx", "wsproxy", lineterm="", n=0))
            self.fail(f"{diff}\nasked: {exchange.request[:300]!r}\nanswered: {exchange.answer[:300]!r}")


if __name__ == "__main__":
    main()
