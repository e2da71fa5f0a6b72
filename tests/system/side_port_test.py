"""The side port against peers that are malformed, slow or many: its own limits hold, and no message waits for it (DESIGN section 8)."""

import os
import threading
import time

from harness import DEADLINE, EchoApp, Ended, SharedProxyTest, SystemTest, http_message, main, readable, wait_until
from harness.bystander import bystander


class SideTest(SharedProxyTest):
    app_kind = EchoApp

    def tearDown(self):
        self.doCleanups()
        self.assertTrue(self.proxy.running(), "the proxy died")
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        self.assertEqual(self.proxy.get("/readyz")[0], 200)
        client = self.echo_client()
        client.send("next one, please")
        self.assertEqual(client.read_message().text, "next one, please")
        client.finish()
        super().tearDown()

    def side(self):
        return self.closing(self.proxy.side())

    def assert_answered(self, status, data, *, closes, to="GET"):
        side = self.side()
        side.send_bytes(data)
        answer = side.read_answer(to)
        self.assertEqual(answer.status, status, data[:60])
        if closes:
            self.assertEqual(answer.head.get("Connection"), "close")
            side.read_end()
        return answer


class Malformed(SideTest):
    def test_what_is_no_request_is_400_and_the_end(self):
        for data in (b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", b"GET /livez\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                     b"GET /livez HTTP/1.1\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost : a\r\n\r\n",
                     b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n",
                     b"GET /li vez HTTP/1.1\r\nHost: a\r\n\r\n", b"POST /drain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                     b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"):
            with self.subTest(data):
                self.assert_answered(400, data, closes=True)

    def test_too_large_is_refused(self):
        head = http_message.request("/livez", fields=[("X-Large", "x" * 9000)])
        self.assertIn(self.assert_answered(431, head, closes=True).status, (400, 431))
        body = http_message.request("/log-level", "POST", body=b"x" * 70_000)
        self.assert_answered(413, body, closes=True, to="POST")

    def test_a_body_that_never_ends_is_refused_while_it_comes(self):
        side = self.side()
        side.send_bytes(http_message.request("/log-level", "POST", fields=[("Transfer-Encoding", "chunked")]))
        try:
            for _ in range(1000):
                side.send_bytes(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
                if readable([side], 0):
                    break
        except Ended:
            return
        self.assertEqual(side.read_answer("POST").status, 413)

    def test_unknown_paths_are_404_and_the_connection_is_kept(self):
        side = self.side()
        for target in ("/none", "/metrics/", "/livez/x", "/%6divez", "//livez", "/../livez", "/livez%00", "/admin", "/" + "a" * 4000):
            with self.subTest(target[:20]):
                self.assertEqual(side.ask(target).read_answer().status, 404)
        self.assertEqual(side.ask("/livez?verbose=1").read_answer().status, 200)

    def test_methods_that_it_does_not_have_are_405_with_those_it_has(self):
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "POST"):
            with self.subTest(method):
                answer = self.proxy.ask("/livez", method)
                self.assertEqual(answer.status, 405)
                self.assertIn("GET", answer.head.get("Allow"))

    def test_head_is_get_without_a_body(self):
        for target in ("/livez", "/readyz", "/metrics", "/none"):
            side = self.side()
            self.assertEqual(side.ask(target, "HEAD").read_answer("HEAD").status, 404 if target == "/none" else 200)
            self.assertEqual(side.ask("/livez").read_answer().status, 200)

    def test_requests_behind_one_another_are_answered_in_order(self):
        side = self.side()
        side.send_bytes(b"".join(http_message.request(target) for target in ("/livez", "/none", "/readyz", "/metrics", "/livez")))
        self.assertEqual([side.read_answer().status for _ in range(5)], [200, 404, 200, 200, 200])


class Many(SideTest):
    def test_who_says_nothing_does_not_take_the_places_of_probes(self):
        idle = [self.side() for _ in range(300)]
        for _ in range(20):
            self.assertEqual(self.proxy.get("/livez")[0], 200)
        kept = len(idle) - len(readable(idle, 0))
        self.assertLess(kept, 200, "there is no limit of connections")

    def test_nor_do_halves_of_requests(self):
        for _ in range(300):
            self.side().send_bytes(b"GET /livez HTTP/1.1\r\nHost: a\r\n")
        self.assertEqual(self.proxy.get("/readyz")[0], 200)
        self.proxy.metrics()

    def test_nor_those_who_do_not_read_their_answers(self):
        for _ in range(70):
            side = self.closing(self.proxy.side(receive_buffer=2048))
            try:
                side.send_bytes(http_message.request("/metrics") * 5)
            except Ended:
                pass
        self.assertEqual(self.proxy.get("/readyz")[0], 200)
        self.proxy.metrics()

    def test_scrapers_in_a_loop_do_not_starve_messages(self):
        stop = threading.Event()
        counts = [0] * 8

        def scrape(at):
            side = self.proxy.side()
            while not stop.is_set():
                side.ask("/metrics").read_answer()
                counts[at] += 1
            side.close()

        scrapers = [threading.Thread(target=scrape, args=(at,), daemon=True) for at in range(len(counts))]
        with bystander(self.echo_client(extensions="permessage-deflate")) as talker:
            for scraper in scrapers:
                scraper.start()
            begin = talker.turns
            wait_until(lambda: talker.turns > begin + 100 and min(counts) > 5, "messages and scrapes to go on side by side", deadline=20)
            stop.set()
            for scraper in scrapers:
                scraper.join(DEADLINE)

    def test_connections_that_come_and_go_leave_no_descriptor(self):
        folder = f"/proc/{self.proxy.pid}/fd"
        before = len(os.listdir(folder))
        for at in range(300):
            side = self.proxy.side()
            if at % 3:
                side.send_bytes(b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"\r\n" * (at % 2))
            side.reset() if at % 5 == 0 else side.close()
        wait_until(lambda: len(os.listdir(folder)) <= before + 3, "the descriptors to be given back")


class Slow(SystemTest):
    def test_a_request_has_ten_seconds(self):
        """All kinds at once, since each takes its time."""
        self.start_echo()
        begin = time.monotonic()
        silent, half, drop = (self.closing(self.proxy.side()) for _ in range(3))
        half.send_bytes(b"GET /livez HTTP/1.1\r\nHost: a\r\n")
        drop.send_bytes(b"GET /livez HTTP/1.1\r\nX-Slow: ")
        dropping = threading.Thread(target=self.drop_by_drop, args=(drop,), daemon=True)
        dropping.start()
        for side in (silent, half, drop):
            side.sock.settimeout(30)
            self.assertEqual(side.read_to_end(deadline=25).count(b"200 OK"), 0)
        self.assertGreater(time.monotonic() - begin, 2, "no time at all")
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        drop.close()
        dropping.join()

    def drop_by_drop(self, side):
        """A byte every now and then does not make it last longer."""
        try:
            while not readable([side], 0.2):
                side.sock.send(b"x")
        except OSError:
            pass


if __name__ == "__main__":
    main()
