"""Connections under plain HTTP: kept, shared, ended, and lost at the worst moment (RFC 9112 section 9)."""

import contextlib
import pathlib
import signal
import time

from harness import Ended, HttpTest, SharedHttpTest, http_message, main, readable, wait_until
from harness.http_message import answer, request


class Kept(SharedHttpTest):
    def test_many_requests_on_one_client_connection_and_one_app_connection(self):
        client = self.client()
        for at in range(100):
            with self.subTest(at):
                _, _, got = self.exchange(request(f"/{at}"), answer(body=b"%d" % at), client=client)
                self.assertEqual((got.data, got.closes), (b"%d" % at, False))
        self.assertEqual(len(self.app.sides), 1)

    def test_clients_share_app_connections_one_after_the_other(self):
        for at in range(20):
            client = self.client()
            self.exchange(request(f"/{at}"), client=client)
            client.close()
        self.assertEqual(len(self.app.sides), 1)

    def test_clients_at_the_same_time_do_not_share_one(self):
        clients = [self.client().ask(f"/{at}") for at in range(5)]
        sides = {(side := self.app.next()).request.target: side for _ in clients}
        self.assertEqual(len(set(sides.values())), 5)
        for at in (3, 0, 4, 1, 2):
            sides[f"/{at}"].answer(body=b"%d" % at)
            self.assertEqual(clients[at].read_answer().data, b"%d" % at)

    def test_whoever_says_close_is_closed_after_the_answer(self):
        for fields in ([("Connection", "close")], [("Connection", "x, Close")], [("Connection", "keep-alive"), ("Connection", "close")]):
            with self.subTest(fields=fields):
                client = self.client()
                _, _, got = self.exchange(request(fields=fields), answer(body=b"x" * 1000), client=client)
                self.assertTrue(got.closes)
                self.assertEqual(len(got.data), 1000)
                self.assertEqual(client.read_end(), "end of file")

    def test_an_app_that_says_close_is_not_asked_again_and_the_client_may_stay(self):
        for fields, version in (([("Connection", "close")], "HTTP/1.1"), ([], "HTTP/1.0")):
            with self.subTest(version):
                client = self.client()
                side, _, got = self.exchange(request(), answer(fields=fields, body=b"x", version=version), client=client)
                self.assertFalse(got.closes)
                self.app.sides.remove(side)
                self.assertIsNot(self.assert_serves(client), side)
                self.assertEqual(side.read_end(), "end of file")

    def test_an_app_of_http_1_0_that_keeps_alive_is_asked_again(self):
        fields = [("Connection", "keep-alive")]
        side, _, _ = self.exchange(request(), answer(fields=fields, body=b"x", version="HTTP/1.0"))
        self.assertIs(self.assert_serves(), side)

    def test_a_client_of_http_1_0_is_closed_unless_it_asks_to_stay(self):
        for fields, stays in (([], False), ([("Connection", "keep-alive")], True), ([("Connection", "Keep-Alive, x")], True)):
            with self.subTest(fields=fields):
                client = self.client()
                side, _, got = self.exchange(request(fields=fields, version="HTTP/1.0"), answer(body=b"old"), client=client)
                self.assertEqual(side.request.first_line, "GET / HTTP/1.1")
                self.assertEqual(got.data, b"old")
                if stays:
                    self.assertIn("keep-alive", got.head.get("Connection", "").lower())
                    self.assert_serves(client)
                else:
                    self.assertNotIn("keep-alive", got.head.get("Connection", "").lower())
                    self.assertEqual(client.read_end(), "end of file")

    def test_a_client_of_http_1_0_may_leave_the_host_out_and_the_app_gets_one(self):
        side, _, got = self.exchange(request(host=None, version="HTTP/1.0"))
        self.assertEqual((len(side.request.all("Host")), got.status), (1, 200))

    def test_a_client_of_http_1_0_gets_chunks_as_plain_bytes_until_the_end(self):
        for fields in ([], [("Connection", "keep-alive")]):
            for cut in (1, 7, 1000):
                with self.subTest(fields=fields, cut=cut):
                    client = self.client().ask(fields=fields, version="HTTP/1.0")
                    side = self.app.next()
                    raw = answer(chunks=[b"one", b"two" * 100, b"!"], extension=";x", trailers=[("X-T", "1")])
                    for at in range(0, len(raw), cut):
                        side.send_bytes(raw[at: at + cut])
                    side.waits = True
                    got = client.read_answer()
                    self.assertEqual((got.head.all("Transfer-Encoding"), got.head.all("Content-Length"), got.closes), ([], [], True))
                    self.assertEqual(got.data, b"one" + b"two" * 100 + b"!")

    def test_a_client_of_http_1_0_gets_no_interim_answers(self):
        client = self.client()
        _, _, got = self.exchange(request(version="HTTP/1.0"), answer("103 Early Hints") + answer(body=b"x"), client=client)
        self.assertEqual((got.interim, got.data), ([], b"x"))

    def test_pipelined_requests_are_answered_in_order(self):
        asked = [request("/0"), request("/1", "POST", body=b"GET /no HTTP/1.1\r\n\r\n"), request("/2", "HEAD"),
                 request("/3", "PUT", chunks=[b"a", b"bc"], trailers=[("A", "b")]), request("/4"), request("/5", "POST", body=b""), request("/6")]
        together = b"".join(asked)
        for cut in (len(together), 1, 13):
            with self.subTest(cut=cut):
                client = self.client()
                for at in range(0, len(together), cut):
                    client.send_bytes(together[at: at + cut])
                for at in range(len(asked)):
                    side = self.app.next()
                    self.assertEqual(side.request.target, f"/{at}")
                    side.body()
                    side.send_bytes(answer(chunks=[b"%d" % at]) if at % 3 == 0 else answer(body=b"" if at == 2 else b"%d" % at))
                    side.waits = True
                for at in range(len(asked)):
                    self.assertEqual(client.read_answer("HEAD" if at == 2 else "GET").data, b"" if at == 2 else b"%d" % at)
                self.assert_serves(client)

    def test_what_is_pipelined_behind_a_close_is_not_answered(self):
        client = self.client()
        self.exchange(request("/last", fields=[("Connection", "close")]) + request("/smuggled"), client=client)
        self.assertIn(client.read_end(), ("end of file", "reset"))
        self.assertEqual(self.app.unread(), b"")


class Expect(SharedHttpTest):
    def ask(self, client, body, **how):
        client.send_bytes(http_message.lines("POST /e HTTP/1.1", [("Host", "x"), ("Expect", "100-continue"), *how.get("fields", ()),
                                                                   ("Content-Length", str(len(body)))]))
        side = self.app.next()
        self.assertEqual(side.request.all("Expect"), ["100-continue"])
        return side

    def test_100_comes_from_the_app_and_then_the_body_from_the_client(self):
        client = self.client()
        side = self.ask(client, b"body")
        self.assertEqual(readable([client], 0), [], "an answer that the app has not given")
        side.send_bytes(answer("100 Continue"))
        self.assertEqual(client.read_head().status, 100)
        client.send_bytes(b"body")
        self.assertEqual(side.body().data, b"body")
        side.answer("201 Created", body=b"")
        self.assertEqual(client.read_answer().status, 201)
        self.assert_serves(client)

    def test_a_client_that_does_not_wait_for_it(self):
        client = self.client()
        side = self.ask(client, b"body")
        client.send_bytes(b"body")
        self.assertEqual(side.body().data, b"body")
        side.answer(body=b"fine")
        self.assertEqual(client.read_answer().data, b"fine")

    def test_a_final_answer_instead_and_what_was_to_be_a_body_is_never_a_request(self):
        for how in ("kept", "closed"):
            with self.subTest(how):
                client, hidden = self.client(), request("/smuggled")
                side = self.ask(client, hidden)
                side.send_bytes(answer("403 Forbidden", body=b"no"))
                if how == "closed":
                    self.app.forget(side)
                self.assertEqual(client.read_answer().status, 403)
                try:
                    client.send_bytes(hidden)
                except Ended:
                    pass
                self.assert_serves()
                self.assertNotIn(b"HTTP/1.1\r\n", self.app.unread().removeprefix(hidden))


class Stale(SharedHttpTest):
    def test_an_app_that_hangs_up_after_each_answer_is_not_noticed(self):
        client = self.client()
        for at in range(60):
            side, _, got = self.exchange(request(f"/{at}", ("GET", "POST", "HEAD", "DELETE")[at % 4]), answer(body=b""), client=client,
                                         to=("GET", "POST", "HEAD", "DELETE")[at % 4])
            self.assertEqual((side.request.target, got.status), (f"/{at}", 200))
            side.reset() if at % 2 else side.close()
            self.app.sides.remove(side)

    def test_an_app_that_hangs_up_when_the_next_request_comes_is_asked_again_on_a_new_connection(self):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            for how in ("close", "reset"):
                with self.subTest(method, how=how):
                    client = self.client()
                    first, _, _ = self.exchange(request("/first"), client=client)
                    client.ask("/second", method)
                    used = self.app.next()
                    self.assertIs(used, first)
                    self.app.sides.remove(used)
                    used.reset() if how == "reset" else used.close()
                    again = self.app.next()
                    self.assertEqual(again.request.raw.partition(b"\r\n")[0], f"{method} /second HTTP/1.1".encode())
                    again.answer(body=b"")
                    self.assertEqual(client.read_answer(method).status, 200)
                    self.app.forget(again)

    def test_an_app_that_resets_just_before_the_next_request_is_written_is_asked_again(self):
        for _ in range(5):
            client = self.client()
            used, _, _ = self.exchange(request("/first"), client=client)
            with self.stopped():
                client.ask("/second")
                self.app.sides.remove(used)
                used.reset()
            again = self.app.next(3)
            self.assertEqual(again.request.target, "/second")
            self.assertEqual(readable([again], 0), [], "an end of the client, who has not left")
            again.answer(body=b"fine")
            self.assertEqual(client.read_answer().data, b"fine")
            self.app.forget(again)

    @contextlib.contextmanager
    def stopped(self):
        """What comes meanwhile finds the proxy in the order in which it came."""
        def is_stopped(thread):
            return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"
        threads = [*pathlib.Path(f"/proc/{self.proxy.pid}/task").iterdir()]
        self.proxy.signal(signal.SIGSTOP)
        try:
            wait_until(lambda: all(is_stopped(thread) for thread in threads), "the proxy to stop")
            yield
        finally:
            self.proxy.signal(signal.SIGCONT)

    def test_a_post_is_never_sent_twice_and_never_risked_on_a_used_connection(self):
        for how in ("close", "reset"):
            for raw in (request("/pay", "POST", body=b"5 EUR"), request("/pay", "POST", chunks=[b"5 EUR"]), request("/pay", "PATCH", body=b"5"),
                        request("/pay", "PUT", body=b"5"), request("/pay", "POST"), request("/pay", "LOCK")):
                with self.subTest(raw[:30], how=how):
                    used, _, _ = self.exchange(request("/before"))
                    client = self.client()
                    client.send_bytes(raw)
                    side = self.app.next()
                    self.assertIsNot(side, used)
                    side.body()
                    side.reset() if how == "reset" else side.close()
                    self.app.sides.remove(side)
                    self.assertEqual(client.read_answer().status, 502)
                    self.assertEqual(self.app.unread(), b"")

    def test_a_get_is_not_asked_for_ever(self):
        client = self.client().ask("/fatal")
        self.app.forget(self.app.next())
        self.assertEqual(client.read_answer().status, 502)
        self.assertEqual(self.app.unread(), b"")
        self.assert_serves()

    def test_nothing_is_asked_again_once_a_byte_of_the_answer_has_come(self):
        client = self.client()
        self.exchange(request("/first"), client=client)
        client.ask("/second")
        side = self.app.next()
        side.send_bytes(b"HTTP/1.1 200 OK\r\nContent-")
        self.app.forget(side)
        self.assertEqual(client.read_answer().status, 502)
        self.assertEqual(self.app.unread(), b"")

    def test_bytes_on_an_idle_app_connection_are_nobody_s_answer(self):
        side, _, _ = self.exchange(request("/first"))
        side.send_bytes(answer(body=b"poison"))
        self.assertIsNot(self.assert_serves(), side)

    def test_an_idle_app_connection_is_let_go_before_apps_hang_up(self):
        side, _, _ = self.exchange(request("/first"))  # Node's servers hang up after 5 s
        begin = time.monotonic()
        self.assertEqual(side.read_end(), "end of file")
        self.assertLess(time.monotonic() - begin, 4.9)


class Idle(HttpTest):
    def test_an_empty_line_is_no_beginning_of_a_next_request(self):
        self.start(http={"client_timeout": "600ms"}, timeouts={"handshake": "300ms"})
        for together in (True, False):  # RFC 9112 section 2.2: some clients end their requests with one
            client, begin = self.client(), time.monotonic()
            self.exchange(request() + (b"\r\n" if together else b""), client=client)
            client.send_bytes(b"" if together else b"\r\n")
            self.assertEqual(client.read_end(), "end of file")
            self.assertGreaterEqual(time.monotonic() - begin, 0.55)

    def test_connections_of_a_trusted_proxy_count_for_none_of_its_clients(self):
        self.start(headers={"trusted_proxies": ["127.0.0.1/32"]}, limits={"max_connections_per_ip": 2})
        clients = [self.client() for _ in range(4)]
        for address in ("203.0.113.1", "203.0.113.2", "203.0.113.1"):
            for client in clients:
                client.ask(fields=[("X-Forwarded-For", address)])
                if self.app.is_asked_before(client):
                    self.app.next().answer(body=b"")
                self.assertEqual(client.read_answer().status, 200)


if __name__ == "__main__":
    main()
