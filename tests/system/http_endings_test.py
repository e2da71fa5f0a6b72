"""Plain HTTP that ends badly or late: apps that die, clients that vanish, time that runs out, a drain."""

import signal
import socket
import time

from harness import DEADLINE, Ended, HttpApp, HttpTest, SharedHttpTest, free_port, http_head, main
from harness import readable, refuses_connections, wait_until
from harness.http_message import answer, lines, request


class AppDies(SharedHttpTest):
    def begun(self, head, body, *, client=None):
        client = client or self.client()
        client.ask("/dying")
        side = self.app.next()
        side.send_bytes(lines("HTTP/1.1 200 OK", head) + body)
        self.assertEqual(client.read_head().status, 200)
        self.app.sides.remove(side)
        return client, side

    def test_in_the_middle_of_a_body_is_a_cut_for_that_client_and_for_nobody_else(self):
        bystander = self.client().ask("/bystander")
        other = self.app.next()
        other.send_bytes(lines("HTTP/1.1 200 OK", [("Content-Length", "6")]) + b"abc")
        self.app.sides.remove(other)
        for what, head, body in (("length", [("Content-Length", "100")], b"x" * 99), ("chunks", [("Transfer-Encoding", "chunked")], b"5\r\nhello\r\n"),
                                 ("in a chunk", [("Transfer-Encoding", "chunked")], b"5\r\nhel"),
                                 ("before the last line", [("Transfer-Encoding", "chunked")], b"5\r\nhello\r\n0\r\n")):
            for how in ("close", "reset"):
                with self.subTest(what, how=how):
                    client, side = self.begun(head, body)
                    side.reset() if how == "reset" else side.close()
                    got = client.read_to_end()
                    self.assertTrue(body.startswith(got), got)  # and not one byte that would make it whole
                    self.assertIn(b"x" * 99 if head[0][0] == "Content-Length" else b"hel", got)
        other.send_bytes(b"def")
        self.assertEqual(bystander.read_answer().data, b"abcdef")
        self.app.forget(other) if other in self.app.sides else other.close()

    def test_a_body_until_close_that_is_reset_is_no_whole_body(self):
        client, side = self.begun([], b"half")
        self.assertEqual(client.take(4), b"half")
        side.reset()
        with self.assertRaises(Ended) as ended:
            client.receive_some()
        self.assertEqual(str(ended.exception), "reset")

    def test_nor_is_that_of_a_refused_upgrade(self):
        client = self.client()
        client.send_bytes(http_head.request())
        side = self.app.next()
        side.send_bytes(answer("403 Forbidden") + b"half")
        self.assertEqual(client.read_head().status, 403)
        self.assertEqual(client.take(4), b"half")
        self.app.sides.remove(side)
        side.reset()
        self.assertEqual(client.read_end(), "reset")

    def test_while_a_client_of_http_1_0_gets_its_chunks_as_plain_bytes(self):
        client = self.client().ask(version="HTTP/1.0")
        side = self.app.next()
        side.send_bytes(answer()[:-2] + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        client.read_head()
        self.assertEqual(client.take(5), b"hello")
        self.app.forget(side)
        with self.assertRaises(Ended) as ended:
            client.receive_some()
        self.assertEqual(str(ended.exception), "reset")

    def test_before_the_head_is_a_bad_gateway(self):
        for sent in (b"", b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"):
            with self.subTest(sent):
                before = self.upstream_errors("closed_early") + self.upstream_errors("bad_response")
                client = self.client().ask("/", "POST", body=b"x")
                side = self.app.next()
                side.body()
                side.send_bytes(sent)
                self.app.forget(side)
                self.assertEqual(client.read_answer().status, 502)
                self.assertEqual(self.upstream_errors("closed_early") + self.upstream_errors("bad_response"), before + 1)

    def test_while_the_client_still_sends_is_a_bad_gateway(self):
        client = self.client()
        client.send_bytes(lines("POST /up HTTP/1.1", [("Host", "x"), ("Content-Length", "100000000")]) + b"x" * 100)
        side = self.app.next()
        side.reset()
        self.app.sides.remove(side)
        self.assertEqual(client.read_answer().status, 502)

    def test_an_answer_before_the_request_is_through_reaches_the_client(self):
        for closes in (True, False):
            with self.subTest(closes=closes):
                client = self.client()
                client.send_bytes(lines("POST /up HTTP/1.1", [("Host", "x"), ("Content-Length", "10000000")]) + b"x" * 65536)
                side = self.app.next()
                side.take(65536)
                side.send_bytes(answer("413 Too Much", fields=[("Connection", "close")] if closes else [], body=b"stop it"))
                if closes:
                    self.app.forget(side)
                got = client.read_answer()
                self.assertEqual((got.status, got.data), (413, b"stop it"))

    def test_after_an_early_answer_the_rest_of_the_body_is_no_request(self):
        client, hidden = self.client(), request("/smuggled") * 3
        client.send_bytes(lines("POST /up HTTP/1.1", [("Host", "x"), ("Content-Length", str(len(hidden)))]) + hidden[:10])
        side = self.app.next()
        side.take(10)
        side.send_bytes(answer(body=b"enough"))
        self.assertEqual(client.read_answer().data, b"enough")
        try:
            client.send_bytes(hidden[10:])
        except Ended:
            pass
        self.assert_serves()
        self.assertIn(self.app.unread(), (b"", hidden[10:]))


class ClientVanishes(SharedHttpTest):
    def assert_ends(self, side):
        """The app's connection ends while it sends, which it notices as it would without the proxy."""
        end = time.monotonic() + DEADLINE
        with self.assertRaises(Ended):
            while time.monotonic() < end:
                side.send_bytes(b"x" * 65536)
        self.app.sides.remove(side)

    def test_in_the_middle_of_an_answer_frees_the_app(self):
        for how in ("close", "reset"):
            for head in ([], [("Content-Length", str(1 << 40))]):
                with self.subTest(how, head=head):
                    client = self.client().ask()
                    side = self.app.next()
                    side.send_bytes(lines("HTTP/1.1 200 OK", head) + b"x")
                    client.read_head()
                    client.reset() if how == "reset" else client.close()
                    self.assert_ends(side)
                    self.assert_serves()

    def test_by_reset_before_the_answer_ends_the_app_s_connection(self):
        client = self.client().ask()
        side = self.app.next()
        client.reset()
        self.assertIn(side.read_end(), ("end of file", "reset"))

    def test_in_the_middle_of_its_body_is_an_end_for_the_app_too(self):
        for head, sent in (([("Content-Length", "10")], b"123456789"), ([("Transfer-Encoding", "chunked")], b"5\r\nhello\r\n")):
            for how in ("close", "reset"):
                with self.subTest(head=head, how=how):
                    client = self.client()
                    client.send_bytes(lines("POST / HTTP/1.1", [("Host", "x"), *head]) + sent)
                    side = self.app.next()
                    self.assertEqual(side.take(len(sent)), sent)
                    client.reset() if how == "reset" else client.close()
                    self.assertIn(side.read_end(), ("end of file", "reset"))
                    self.app.forget(side)

    def test_a_client_that_has_said_all_still_gets_its_answer_and_the_app_sees_the_end(self):
        for raw in (request("/half"), request("/half", "POST", body=b"all"), request("/half", "POST", chunks=[b"all"])):
            with self.subTest(raw[:5]):
                client = self.client()
                client.send_bytes(raw)
                client.sock.shutdown(socket.SHUT_WR)
                side = self.app.next()
                side.body()
                self.assertEqual(side.read_end(), "end of file")
                side.send_bytes(answer(chunks=[b"an", b"swer"]))
                self.assertEqual(client.read_answer().data, b"answer")
                self.assertEqual(client.read_end(), "end of file")


class Time(HttpTest):
    def took(self, begin, seconds):
        took = time.monotonic() - begin
        self.assertGreaterEqual(took, seconds * 0.95)
        self.assertLess(took, seconds + 3)

    def test_an_app_that_does_not_answer_is_504(self):
        self.start(http={"response_timeout": "300ms"})
        for raw in (request("/mute"), request("/mute", "POST", body=b"hello?")):
            begin, before = time.monotonic(), self.upstream_errors("response_timeout")
            client = self.client()
            client.send_bytes(raw)
            side = self.app.next()
            side.body()
            self.assertEqual(client.read_answer().status, 504)
            self.took(begin, 0.3)
            self.assertEqual(side.read_to_end(), b"")
            self.assertEqual(self.upstream_errors("response_timeout"), before + 1)

    def test_nor_is_one_waited_for_whose_head_trickles(self):
        self.start(http={"response_timeout": "300ms"})
        begin = time.monotonic()
        client = self.client().ask("/trickle")
        side = self.app.next()
        side.send_bytes(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not readable([client], 0.05) and time.monotonic() - begin < 2:
            side.send_bytes(b"x")
        self.assertEqual(client.read_answer(deadline=0.1).status, 504)
        self.took(begin, 0.3)

    def test_a_body_may_be_silent_for_longer(self):
        self.start(http={"response_timeout": "200ms", "client_timeout": "200ms"})
        client = self.client().ask("/events")
        side = self.app.next()
        side.send_bytes(lines("HTTP/1.1 200 OK", [("Content-Type", "text/event-stream")]) + b"data: 1\n\n")
        client.read_head()
        self.assertEqual(client.take(9), b"data: 1\n\n")
        with self.assertRaises(TimeoutError):
            client.receive_some(0.8)
        side.send_bytes(b"data: 2\n\n")
        self.assertEqual(client.take(9), b"data: 2\n\n")

    def test_a_connection_without_a_next_request_is_closed_without_a_word(self):
        self.start(http={"client_timeout": "300ms"})
        client = self.client()
        self.exchange(request(), client=client)
        begin = time.monotonic()
        self.assertEqual(client.read_end(), "end of file")
        self.took(begin, 0.3)

    def test_a_next_request_that_does_not_get_on_is_408(self):
        self.start(timeouts={"handshake": "300ms"})
        client = self.client()
        self.exchange(request(), client=client)
        client.send_bytes(b"GET / HT")
        self.assertEqual(client.read_answer().status, 408)
        self.assertEqual(client.read_to_end(), b"")

    def test_a_client_that_owes_its_body_is_not_waited_for_and_the_app_is_free(self):
        self.start(http={"client_timeout": "300ms"})
        client = self.client()
        client.send_bytes(lines("POST / HTTP/1.1", [("Host", "x"), ("Content-Length", "10")]) + b"12345")
        side = self.app.next()
        self.assertEqual(side.take(5), b"12345")
        begin = time.monotonic()
        self.assertIn(side.read_end(), ("end of file", "reset"))
        self.took(begin, 0.25)
        self.assertRegex(client.read_to_end(), rb"\A(HTTP/1.1 408 (?s:.*))?\Z")

    def test_an_app_that_is_not_there_is_502(self):
        self.start(app_url=f"ws://127.0.0.1:{free_port()}", wait="live", upstream={"connect_timeout": "200ms"})
        client = self.client().ask("/", "POST", body=b"x")
        self.assertEqual(client.read_answer().status, 502)
        self.assertGreaterEqual(self.upstream_errors("connect") + self.upstream_errors("connect_timeout"), 1)

    def test_an_app_that_is_still_starting_is_waited_for(self):
        port = free_port()
        self.start(app_url=f"ws://127.0.0.1:{port}", wait="live")
        client = self.client().ask("/early", "POST", body=b"x")
        self.proxy.wait_metric("wsproxy_connections_active", 1)
        late = HttpApp(("127.0.0.1", port))
        self.addCleanup(late.stop)
        late.next().answer(body=b"here now")
        self.assertEqual(client.read_answer().data, b"here now")


class Draining(HttpTest):
    def test_a_request_in_progress_is_finished_and_idle_connections_end_at_once(self):
        self.start()
        idle, busy, streaming = self.client(), self.client(), self.client()
        self.exchange(request("/idle"), client=idle)
        busy.ask("/busy")
        side = self.app.next()
        streaming.ask("/streaming")
        other = self.app.next()
        other.send_bytes(lines("HTTP/1.1 200 OK", [("Transfer-Encoding", "chunked")]) + b"1\r\na\r\n")
        self.assertEqual(streaming.read_head().status, 200)
        self.proxy.signal(signal.SIGTERM)
        begin = time.monotonic()
        self.assertEqual(idle.read_end(), "end of file")
        self.assertLess(time.monotonic() - begin, 2)
        wait_until(lambda: refuses_connections(self.proxy.port), "no new connections")
        side.answer(body=b"finished")
        got = busy.read_answer()
        self.assertEqual((got.data, got.closes), (b"finished", True))
        self.assertEqual(busy.read_end(), "end of file")
        other.send_bytes(b"1\r\nb\r\n0\r\n\r\n")
        self.assertEqual(streaming.take(17), b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_what_does_not_finish_is_cut_when_the_time_is_up(self):
        self.start(drain={"timeout": "400ms"})
        client = self.client().ask("/for-ever")
        side = self.app.next()
        side.send_bytes(answer())
        client.read_head()
        self.proxy.signal(signal.SIGTERM)
        begin = time.monotonic()
        client.read_to_end()
        self.assertGreaterEqual(time.monotonic() - begin, 0.35)
        self.assertEqual(self.proxy.wait_exit(), 0)


if __name__ == "__main__":
    main()
