"""The status page at / of the side port, in a real browser and with real traffic (DESIGN section 8)."""

import http.client
import json
import re
import signal

from harness import EchoApp, main, wait_until
from harness.status_page import CHAT, PATIENT, StatusPageTest

POINTS = "document.querySelector(args[0]).getAttribute('d').split('L').length"


def read(proxy, path="/", **fields):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.admin_port, timeout=10)
    try:
        connection.request("GET", path, headers=fields)
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


class Answer(StatusPageTest):
    def test_the_page_comes_with_a_policy_and_another_nonce_each_time(self):
        self.start()
        nonces = set()
        for accept in ("text/html", "*/*"):
            answer, page = read(self.proxy, Accept=accept)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
            policy = answer.headers["Content-Security-Policy"]
            nonce = re.search(r"script-src 'nonce-([^']+)'", policy)[1]
            self.assertIn("default-src 'none'", policy)
            self.assertIn(f"style-src 'nonce-{nonce}'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(page.count(f'nonce="{nonce}"'), 2)
            nonces.add(nonce)
        self.assertEqual(len(nonces), 2)

    def test_the_browser_asks_for_nothing_but_the_status(self):
        self.start_echo()
        self.open_page()
        asked = self.ask("performance.getEntriesByType('resource').map(({name}) => name)")
        home = f"http://127.0.0.1:{self.proxy.admin_port}/status"
        self.assertGreater(len(asked), 0)
        self.assertEqual([name for name in asked if name.split("?")[0] != home], [])


class Figures(StatusPageTest):
    def test_what_it_shows_moves_with_the_traffic(self):
        self.start_echo()
        self.open_page()
        self.assertEqual(self.text("#state"), "Serving")
        self.assertEqual(self.figure("connections.active"), "0")
        self.assertIn("No connection yet", self.text("#nobody"))
        self.assertIn(f"ws://127.0.0.1:{self.proxy.port}", self.text("#nobody"))
        self.assertFalse(self.is_shown("#somebody"))

        clients = [self.echo_client(f"/room/{at}", extensions="permessage-deflate") for at in range(3)]
        for turn in range(200):
            for client in clients[: 1 + turn % 3]:
                client.send(CHAT)
                client.read_message()
        self.wait_figure("connections.active", lambda text: text == "3")
        self.wait_figure("shown.messagesDetail", lambda text: text.startswith("399 and 399 "))
        self.assertRegex(self.wait_figure("shown.saved", lambda text: text != "0 B"), r"^[\d.]+ KB$")
        self.assertRegex(self.figure("shown.smaller"), r"^\d\d %$")
        self.assertLess(float(self.figure("shown.ratio")), 0.5)
        self.assertRegex(self.wait_figure("latency.to_client.p99", lambda text: text != "–"), r"(µs|ms|s)$")
        self.assertRegex(self.wait_figure("shown.cpuPerGb", lambda text: text != "–"), r"(µs|ms|s|min|h)")
        self.assertIn("accepted", self.text("#handshakes"))
        self.assertRegex(self.texts('[data-table="listeners"] tbody tr')[0], r"(?s)^public.*\b3\t3\t399\t399\t")
        self.assertEqual(len(self.texts('[data-table="routes"] tbody tr')), 1)

        rows = self.texts('[data-table="largest"] tbody tr')
        self.assertEqual(len(rows), 3)
        self.assertIn("/room/0", rows[0])
        self.assertIn(f"127.0.0.1:{clients[0].sock.getsockname()[1]}", rows[0])
        self.wait_text('[data-chart="messages"] .readout', lambda text: " to " in text)  # a rate that was not 0 all the time
        self.assertEqual(self.ask("document.querySelectorAll('[data-chart=messages] path.curve').length"), 2)

        for client in clients:
            client.send_close(1000)
            client.read_to_end()
        self.wait_figure("connections.active", lambda text: text == "0")
        self.wait_text("#closes-client", lambda text: text.startswith("1000 normal"))
        self.assertIn("No connection is open", self.text("#nobody"))

    def test_the_charts_are_full_at_once_and_move_on(self):
        self.start_echo()
        client = self.echo_client()
        client.send(CHAT)
        client.read_message()
        curve = '[data-chart="connections"] path.curve'
        self.proxy.wait_metric("wsproxy_messages_total", 1)
        self.open_page()
        wait_until(lambda: self.ask("!!document.querySelector(args[0])", curve) and self.ask(POINTS, curve) >= 2, "two samples")
        self.driver.open("about:blank")
        self.open_page()
        first = wait_until(lambda: self.ask("!!document.querySelector(args[0])", curve) and self.ask(POINTS, curve), "a curve")
        self.assertGreaterEqual(first, 2, "the history begins when the page is opened")
        wait_until(lambda: self.ask(POINTS, curve) > first, "the next sample")

    def test_what_is_refused_is_shown_only_once_there_is_some(self):
        self.start_echo(limits={"allowed_origins": ["https://good.example"]})
        self.open_page()
        self.assertFalse(self.is_shown("#card-rejected"))
        client = self.closing(self.proxy.client())
        client.ask("/", fields=[("Origin", "https://bad.example")])
        self.assertEqual(client.read_answer().status, 403)
        self.wait_text("#card-rejected", lambda text: "origin" in text)
        self.assertFalse(self.is_shown("#card-errors"))


class State(StatusPageTest):
    def test_a_drain_shows_who_is_left_and_how_long_it_takes(self):
        self.start(**PATIENT)
        pairs = [self.pair() for _ in range(2)]
        self.open_page()
        self.assertFalse(self.is_shown("#drain"))
        self.proxy.terminate()
        self.wait_text("#state", lambda text: text in ("Draining", "Closing connections"))
        self.assertEqual(self.text("#drain-left"), "2 of 2 connections left")
        self.assertRegex(self.text("#drain-ends"), r"^(1 min|\d+ s) until the rest is cut$")
        for wire in pairs[0]:
            wire.close()
        self.wait_text("#drain-left", lambda text: text == "1 of 2 connections left")
        self.assertEqual(self.ask("document.querySelector('#drain .track').getAttribute('aria-valuenow')"), "50")

    def test_an_app_that_is_gone_is_shown_with_the_reason(self):
        self.start_echo()
        self.open_page()
        self.app.stop()
        self.wait_text("#state", lambda text: text == "Serving, not ready")
        self.assertRegex(self.text("#unready"), "^Not ready. .*")

    def test_silence_is_shown_and_another_process_starts_a_history_of_its_own(self):
        self.start_echo()
        client = self.echo_client()
        client.send(CHAT)
        self.open_page()
        self.wait_figure("connections.active", lambda text: text == "1")
        self.wait_text('[data-chart="connections"] .readout', lambda text: text.endswith("1"))
        self.expected = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
        self.proxy.exit_code_matters = False
        self.proxy.signal(signal.SIGKILL)
        self.wait_text("#silent", lambda text: "No answer since" in text)
        self.assertEqual(self.text("#state"), "No answer")
        self.command("run", "--config", self.proxy.config_file)
        self.wait_text("#state", lambda text: text == "Serving")
        self.assertFalse(self.is_shown("#silent"))
        self.assertEqual(self.figure("connections.active"), "0")
        self.wait_text('[data-chart="connections"] .readout', lambda text: text == "open 0")

    def test_the_history_of_another_process_is_all_asked_for_even_if_it_is_longer(self):
        def newest():
            samples = json.loads(read(self.proxy, "/status")[1])["history"]["samples"]
            return samples[-1]["seq"] if samples else 0

        def asks_for_all():
            urls = self.ask("performance.getEntriesByType('resource').map(({name}) => name)")
            return sum(url.endswith("/status") for url in urls)

        self.start_echo()
        self.open_page()
        wait_until(lambda: "since=" in self.ask("performance.getEntriesByType('resource').at(-1).name"), "samples on the page")
        self.ask("document.querySelector('#pause').click()")
        shown, before = newest(), asks_for_all()
        self.proxy.exit_code_matters = False
        self.proxy.signal(signal.SIGKILL)
        self.proxy.wait_exit()
        self.command("run", "--config", self.proxy.config_file).wait_for_line("serving")
        wait_until(lambda: newest() > shown, "a longer history")
        self.ask("document.querySelector('#pause').click()")
        wait_until(lambda: asks_for_all() == before + 1, "a question for all of it")

    def test_it_asks_only_while_it_is_looked_at(self):
        self.start_echo()
        self.open_page_with_still_clock()

        def assert_asks(within):
            self.assertEqual(self.questions_in(within), 1)
            wait_until(lambda: self.ask("waits()") == [2000], "the answer, after which it waits for the next question")

        assert_asks(0)
        assert_asks(2000)
        self.ask("document.querySelector('#pause').click()")
        self.assertTrue(self.text("#updated").startswith("paused"))
        self.assertEqual(self.ask("document.querySelector('#pause').getAttribute('aria-pressed')"), "true")
        self.assertEqual(self.questions_in(60_000), 0)
        hide = "(Object.defineProperty(document, 'hidden', {configurable: true, value: args[0]}), document.dispatchEvent(new Event('visibilitychange')))"
        self.ask(hide, True)
        self.ask(hide, False)
        self.assertEqual(self.questions_in(60_000), 0, "it is paused still")
        self.ask("document.querySelector('#pause').click()")
        assert_asks(0)
        self.ask(hide, True)
        self.assertEqual(self.questions_in(60_000), 0)
        self.ask(hide, False)
        assert_asks(0)


class Foreign(StatusPageTest):
    def test_what_peers_and_operators_write_is_text(self):
        evil = "<img src=x onerror=window.evil=1>"
        app = EchoApp()
        self.start(app, routes=[{"name": evil, "match": {"path": "/x"}, "upstream": {"url": app.url}}])
        paths = ["/x?<script>window.evil=1</script>", "/x?q=<img/src=x/onerror=window.evil=1>", "/x/%3Cscript%3Ewindow.evil=1%3C/script%3E"]
        for path in paths:
            client = self.closing(self.proxy.client())
            client.ask(path, fields=[("User-Agent", evil), ("Origin", f"https://{evil}")])
            if client.read_answer().status == 101:
                client.send(CHAT)
                client.read_message()
        self.open_page()
        rows = wait_until(lambda: self.texts('[data-table="largest"] tbody tr'), "connections")
        self.assertTrue(any("script" in row for row in rows), rows)
        self.assertTrue(any(evil in row for row in rows), rows)
        self.assertTrue(any(evil in row for row in self.texts('[data-table="routes"] tbody tr')))
        self.ask("document.querySelector('details').open = true")
        self.assertIn(evil, self.text("#config"))
        self.assertIsNone(self.ask("window.evil ?? null"))
        self.assertEqual(self.ask("document.querySelectorAll('img, main script, iframe').length"), 0)


if __name__ == "__main__":
    main()
