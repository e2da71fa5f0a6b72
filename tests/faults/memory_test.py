"""Each allocation on the way of a connection fails in turn: what it was for may end, no message is wrong, nobody else notices."""

import contextlib
import http.client
import os
import random
import sys

from failing import MAIN_THREAD, FailingTest
from harness import DEADLINE, EchoApp, Ended, free_port, main
from harness.tls import TlsClient, TlsEchoApp, TlsTest
from markdown import print_table, wants_table

WORDS = "words that are compressed, since there are some of them, and some of them again; "
LARGE = os.urandom(90_000)  # more than is held to leave as one frame
STEP = 23  # of those that OpenSSL makes
PATIENCE = min(3, DEADLINE)
MOST = 9000  # allocations of one conversation; more is a sweep that does not end


class Sweep(FailingTest):
    def sweep(self, thread, conversation, at_least=4, step=1, first=0):
        """Its n-th allocation fails, for each n, until there are not that many; how many there were."""
        bystander = self.echo("the bystander")
        for at in range(first, MOST, step):
            # Not a subtest: behind the first that leaves somebody waiting, each would wait for its deadline.
            where = f"allocation {at} of the thread {thread}"
            self.plan.arm("malloc", "ENOMEM", thread=thread, skip=at)
            try:
                conversation()
            except (Ended, OSError) as ended:
                self.assertNotIsInstance(ended, TimeoutError, f"{where}: left waiting")
            finally:
                hits = self.plan.disarm()
            self.assertTrue(self.proxy.running(), f"{where}: the proxy died")
            try:
                self.echo("the bystander", bystander)
            except (Ended, OSError, AssertionError) as harmed:
                raise AssertionError(f"{where}: the bystander was harmed") from harmed
            if hits == 0:
                break
        else:
            raise AssertionError(f"the sweep did not end within {MOST}")
        print(f"  {at} allocations", file=sys.stderr)
        self.assertGreaterEqual(at, at_least, "there was next to nothing to fail")
        self.assert_all_is_well(bystander)
        bystander.finish()
        return at

    def talk(self, client):
        for text in (WORDS, WORDS * 30):
            client.send(text)
            self.assertEqual(self.message(client), text.encode())
        client.send(LARGE)
        self.assertEqual(self.message(client), LARGE)
        client.send("/fragments 3 " + WORDS)
        self.assertEqual(self.message(client), WORDS.encode())
        client.finish()

    def message(self, client):
        """The next one; a close frame in its place ends the conversation."""
        try:
            return client.read_message(PATIENCE).data
        except AssertionError as said:
            if "closed with" in str(said):
                raise Ended(str(said)) from said
            raise


class Plain(Sweep):
    def conversation(self):
        with contextlib.closing(self.proxy.client()) as client:
            client.ask("/somewhere?and=more", extensions="permessage-deflate; client_max_window_bits", fields=[("Origin", "https://a.example")])
            if client.read_answer().status == 101:
                self.talk(client)

    def test_of_a_worker(self):
        self.start_failing()
        self.sweep("worker", self.conversation)

    def test_of_a_worker_that_asks_for_a_name(self):
        app = EchoApp()
        self.start_failing(app, upstream={"url": f"ws://localhost:{app.port}", "connect_timeout": "300ms"})
        self.sweep("worker", self.conversation)

    def test_of_the_main_thread(self):
        self.start_failing()
        self.sweep(MAIN_THREAD, self.conversation, at_least=1)  # it hands a connection over, no more

    def test_of_the_side_port(self):
        self.start_failing()
        for path in ("/livez", "/readyz", "/metrics"):
            self.sweep("side port", lambda: self.probe(path))
            self.assertEqual(self.proxy.get(path)[0], 200)

    def probe(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.admin_port, timeout=1)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                connection.getresponse().read()
            except http.client.HTTPException as cut:
                raise Ended(str(cut)) from cut


class Secure(Sweep, TlsTest):
    def test_of_a_worker_with_tls_on_both_legs(self):
        plain, secure = free_port(), free_port()
        app = TlsEchoApp(self.certificate)
        # A handshake that has lost its memory may end by its deadline only.
        self.start_failing(app, timeouts={"handshake": "1s"},
                           listeners=[{"name": "plain", "address": f"127.0.0.1:{plain}"},
                                      {"name": "secure", "address": f"127.0.0.1:{secure}", "tls": self.certificate.tls}],
                           upstream={"connect_timeout": "300ms", "tls": {"ca": self.ca.crt}}, first_port=plain)
        context = self.context()

        def conversation():
            with contextlib.closing(TlsClient(("127.0.0.1", secure), context)) as client:
                client.ask(extensions="permessage-deflate")
                if client.read_answer().status == 101:
                    self.talk(client)
        # OpenSSL has thousands in a handshake: each 23rd of them, from another one each time.
        seed = os.environ.get("WSPROXY_FAULT_SEED") or os.urandom(4).hex()
        first = random.Random(seed).randrange(STEP)
        print(f"  WSPROXY_FAULT_SEED={seed}: allocations {first}, {first + STEP} and so on", file=sys.stderr)
        self.sweep("worker", conversation, step=STEP, first=first)


if __name__ == "__main__":
    if wants_table():
        print_table("No memory", [("each allocation of a worker, the main thread and the side port in turn",
                                   "its connection ends, or goes on", "the end of that connection, or nothing",
                                   "log line `unexpected error on a worker`, or the access line's cause")])
    else:
        main()
