"""What comes before its time: requests sent ahead of an answer, and answers given ahead of a request's end."""

import signal
import socket
import threading
import time

from harness import HttpTest, SharedHttpTest, main, wait_until
from harness.http_message import answer, lines, request

# What has come of an answer of which nothing more comes.
SILENT = (b"", answer() + b"data: 1\n\n", answer()[:-2] + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")


class SentAhead(SharedHttpTest):
    def waiting(self, sent, ahead):
        """A client that has got `sent` of an answer and has sent `ahead` behind its request."""
        client = self.client().ask("/silent")
        side = self.app.next()
        side.send_bytes(sent)
        if sent:
            self.assertEqual(client.read_head().status, 200)
        client.send_bytes(ahead)
        other = self.client().ask("/", host=None)  # the one worker has seen what came before
        self.assertEqual(other.read_answer().status, 400)
        other.close()
        return client, side

    def assert_freed(self, side):
        self.assertIn(side.read_end(3), ("end of file", "reset"))
        self.app.forget(side)
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the session to be gone", 3)
        self.assertEqual(self.app.unread(), b"")

    def test_a_client_that_is_reset_behind_it_is_gone(self):
        for sent in SILENT:
            for ahead in (b"\r\n", b"GET /next HT", request("/next"), request("/next", "POST", body=b"x") + b"GET"):
                client, side = self.waiting(sent, ahead)
                client.reset()
                self.assert_freed(side)

    def test_a_client_that_ends_behind_no_whole_request_is_gone_when_the_app_has_seen_it(self):
        for sent in SILENT:
            for ahead in (b"\r\n", b"GET /next HT"):
                client, side = self.waiting(sent, ahead)
                client.sock.shutdown(socket.SHUT_WR)
                self.assert_freed(side)


class AnsweredAhead(HttpTest):
    def test_a_long_answer_is_read_slowly_by_a_client_that_goes_on_sending(self):
        self.start()
        client = self.client(receive_buffer=65536)
        client.send_bytes(lines("POST /up HTTP/1.1", [("Host", "x"), ("Content-Length", "100000000")]))
        side, page = self.app.next(), b"x" * 3_000_000
        sender = threading.Thread(target=side.answer, args=("413 Content Too Large",),
                                  kwargs={"fields": [("Connection", "close")], "body": page})
        sender.start()
        slowly_until = time.monotonic() + 3.5
        while time.monotonic() < slowly_until and len(client.buffer) < 2_500_000:
            client.send_bytes(b"y" * 1000)
            client.buffer += client.sock.recv(16384)
            time.sleep(0.02)  # the pace of a slow reader
        got = client.read_answer()
        self.assertEqual((got.status, len(got.data), got.data == page), (413, len(page), True))
        sender.join()

    def test_an_app_that_answers_early_and_closes_is_read_to_its_end(self):
        """The rest of the request, written to an app that has ended in order, fails; its answer lasts until its end (RFC 9112 section 6.3)."""
        self.start(workers=1)
        page = b"x" * 40_000
        for more in (1, 100_000, 600_000) * 3:
            client = self.client()
            client.send_bytes(lines("POST /up HTTP/1.1", [("Host", "x"), ("Content-Length", "5000000")]) + b"first part")
            side = self.app.next()
            self.assertEqual(side.take(10), b"first part")
            # So that the answer, its end and the rest of the request are there at once.
            self.proxy.signal(signal.SIGSTOP)
            side.send_bytes(lines("HTTP/1.1 413 Content Too Large", [("Connection", "close")]) + page)
            self.app.forget(side)
            client.sock.send(b"y" * more, socket.MSG_DONTWAIT)
            self.proxy.signal(signal.SIGCONT)
            got = client.read_answer()
            self.assertEqual((got.status, got.data == page), (413, True))
        self.assertEqual(self.upstream_errors("lost"), 0)


if __name__ == "__main__":
    main()
