"""The app dies under load and comes back: clients are told 1011, readiness is off and on again, new clients are served."""

import signal
import threading

from harness import Client, Ended, Process, SystemTest, free_port, http_message, main, wait_until
from harness.wire import DEADLINE

CLIENTS = 40


class Talking:
    """A client that talks on a thread of its own until it is closed."""

    def __init__(self, client):
        self.client, self.code, self.turns, self.problem = client, None, 0, None
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self):
        try:
            while True:
                text = f"{self.turns} words " * 20
                self.client.send(text)
                got = self.client.read_message().text
                assert got == text, f"{got[:40]!r} instead of {text[:40]!r}"
                self.turns += 1
        except AssertionError as said:
            self.problem = str(said)
        except (Ended, OSError) as ended:
            self.problem = repr(ended)

    def end(self):
        """How its conversation ended."""
        self._thread.join(2 * DEADLINE)
        self.client.close()
        return self.problem


class AppRestart(SystemTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.run_app()

    def run_app(self):
        self.echo = Process("echo", "--port", str(self.port))
        self.addCleanup(self.echo.stop)
        self.echo.exit_code_matters = False
        wait_until(self.app_answers, "the app to listen")

    def app_answers(self):
        try:
            Client(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def start_in_front(self, **settings):
        return self.start(app_url=f"ws://127.0.0.1:{self.port}", **settings)

    def wait_ready(self, status):
        return wait_until(lambda: (answer := self.proxy.get("/readyz"))[0] == status and answer, f"/readyz to say {status}")

    def crowd(self):
        crowd = [Talking(self.echo_client(f"/{at}", extensions="permessage-deflate" if at % 2 else None)) for at in range(CLIENTS)]
        wait_until(lambda: all(one.turns > 2 for one in crowd), "everybody to talk")
        return crowd

    def kill_and_restart(self, number):
        crowd = self.crowd()
        self.echo.signal(number)
        for one in crowd:
            self.assertRegex(one.end(), r"^closed with \(1011, '[^']+'\) instead of a message")
        reason = self.wait_ready(503)[1]
        self.assertIn(str(self.port), reason)
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_closes_total", side="client", code="1011"), self.deaths * CLIENTS)
        refused = self.closing(self.proxy.client())
        refused.ask()
        self.assertEqual(refused.read_answer().status, 502)
        self.run_app()
        self.wait_ready(200)

    def test_killed_under_load_again_and_again(self):
        self.start_in_front(upstream={"connect_timeout": "200ms"})
        for self.deaths in (1, 2):
            self.kill_and_restart(signal.SIGKILL)
        for one in self.crowd():
            one.client.sock.shutdown(2)
            one.end()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "all to be gone")

    def test_the_code_is_the_operator_s(self):
        self.start_in_front(upstream={"lost_code": 1012})
        crowd = self.crowd()
        self.echo.signal(signal.SIGKILL)
        for one in crowd:
            self.assertRegex(one.end(), r"^closed with \(1012, ")

    def test_an_app_that_stops_in_order_gives_its_own_code(self):
        self.start_in_front()
        crowd = self.crowd()
        self.echo.signal(signal.SIGTERM)
        for one in crowd:
            self.assertRegex(one.end(), r"^closed with \((1001|1011), ")

    def test_a_handshake_waits_for_an_app_that_restarts(self):
        self.start_in_front(upstream={"connect_timeout": "20s"})
        self.echo.signal(signal.SIGKILL)
        self.echo.wait_exit()
        self.wait_ready(503)
        client = self.closing(self.proxy.client())
        client.ask()
        self.proxy.wait_metric("wsproxy_connections_active", 1)
        self.run_app()
        self.assertEqual(client.read_answer().status, 101)
        client.send("there you are")
        self.assertEqual(client.read_message().text, "there you are")

    def test_plain_requests_are_refused_meanwhile_and_answered_again(self):
        self.start_in_front(upstream={"connect_timeout": "200ms"})

        def ask():
            client = self.closing(self.proxy.client())
            client.send_bytes(http_message.request("/"))
            return client.read_answer().status

        before = ask()
        self.echo.signal(signal.SIGKILL)
        self.echo.wait_exit()
        self.assertEqual(ask(), 502)
        self.run_app()
        self.assertEqual(ask(), before)

    def test_a_drain_while_the_app_is_gone(self):
        self.start_in_front(drain={"spread": "100ms"})
        crowd = self.crowd()
        self.echo.signal(signal.SIGSTOP)
        try:
            self.proxy.terminate()
            for one in crowd:
                self.assertRegex(one.end(), r"^closed with \(1001, ")
        finally:
            self.echo.signal(signal.SIGKILL)
        self.assertEqual(self.proxy.wait_exit(), 0)


if __name__ == "__main__":
    main()
