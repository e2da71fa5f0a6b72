"""Scraping with many connections open is quick, and neither slow scrapers nor many at once disturb the relay."""

import contextlib
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from harness import SANITIZED, EchoApp, SystemTest, free_port, main, wait_until
from harness.bystander import bystander
from harness.metrics import OPEN_METRICS, TEXT, ask_for_metrics

MANY = 2000
QUICK = 0.05  # seconds
ROUNDS = 21


class Many(SystemTest):
    def test_a_scrape_with_many_connections_open_is_quick(self):
        app = free_port()
        self.command("echo", "--port", str(app))
        self.start(app_url=f"ws://127.0.0.1:{app}", limits={"max_connections": MANY + 10}, timeouts={"ping_interval": "0s"})
        with contextlib.ExitStack() as open_ones:
            for _ in range(200 if SANITIZED else MANY):
                open_ones.enter_context(contextlib.closing(self.proxy.client())).open()
            opened = self.proxy.metrics().sum("wsproxy_connections_active")
            self.assertEqual(opened, 200 if SANITIZED else MANY)
            for accept in (TEXT, OPEN_METRICS):
                took = []
                for _ in range(ROUNDS):
                    began = time.monotonic()
                    ask_for_metrics(self.proxy.admin_port, accept)
                    took.append(time.monotonic() - began)
                # The median: other tests may have the CPU for a while.
                if not SANITIZED:
                    self.assertLess(statistics.median(took), QUICK)


class Scrapers(SystemTest):
    def test_one_that_reads_byte_by_byte_disturbs_nobody(self):
        self.start(EchoApp())
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        slow.connect(("127.0.0.1", self.proxy.admin_port))
        self.addCleanup(slow.close)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40)
        with bystander(self.echo_client()) as other:
            for turn in range(10):
                self.assertEqual(len(slow.recv(1)), 1)
                before = other.turns
                wait_until(lambda: other.turns > before + 20, "echoes meanwhile")
                self.assertEqual(self.proxy.metrics().sum("wsproxy_connections_active"), 1)
                self.assertEqual(self.proxy.get("/readyz")[0], 200)

    def test_64_at_once_are_all_answered_and_disturb_nobody(self):
        self.start(EchoApp())
        with bystander(self.echo_client()) as other, ThreadPoolExecutor(64) as scrapers:
            for _ in range(3):
                before = other.turns
                answers = list(scrapers.map(lambda at: ask_for_metrics(self.proxy.admin_port, OPEN_METRICS if at % 2 else TEXT), range(64)))
                self.assertEqual({answer.status for answer, _ in answers}, {200})
                for at, (_, text) in enumerate(answers):
                    self.assertEqual(text.endswith("# EOF\n"), at % 2 == 1)
                    self.assertIn('wsproxy_connections_active{listener="public"} 1\n', text)
                wait_until(lambda: other.turns > before, "echoes meanwhile")


if __name__ == "__main__":
    main()
