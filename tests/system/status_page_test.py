"""The status page at / of the side port, in a real browser and with real traffic (DESIGN section 8)."""

import http.client
import re
import signal

from harness import EchoApp, main, wait_until
from harness.status_page import TEXTS, StatusPageTest, contrast

PATIENT = {"timeouts": {"close": "60s"}, "drain": {"spread": "0s", "timeout": "60s"}}
CHAT = '{"type":"chat","room":42,"text":"the same words again and again, the same words again and again"}'
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
        self.assertRegex(self.text("#drain-ends"), r"^\d+ s until the rest is cut$")
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

    def test_it_asks_only_while_it_is_looked_at(self):
        self.start_echo()
        self.open_page()
        asked = "performance.getEntriesByType('resource').length"
        self.ask("document.querySelector('#pause').click()")
        self.assertTrue(self.text("#updated").startswith("paused"))
        self.assertEqual(self.ask("document.querySelector('#pause').getAttribute('aria-pressed')"), "true")
        before = self.ask(asked)
        self.assertEqual(self.ask(f"(await new Promise((done) => setTimeout(done, 2500)), {asked})"), before)
        self.ask("document.querySelector('#pause').click()")
        wait_until(lambda: self.ask(asked) > before, "the next question")
        hide = "(Object.defineProperty(document, 'hidden', {configurable: true, value: args[0]}), document.dispatchEvent(new Event('visibilitychange')))"
        self.ask(hide, True)
        before = self.ask(asked)
        self.assertEqual(self.ask(f"(await new Promise((done) => setTimeout(done, 2500)), {asked})"), before)
        self.ask(hide, False)
        wait_until(lambda: self.ask(asked) > before, "the next question")


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


class Keyboard(StatusPageTest):
    def test_all_of_it_works_without_a_mouse(self):
        self.start_echo()
        clients = [self.echo_client(f"/{name}") for name in ("b", "a", "c")]
        clients[0].send(CHAT)
        self.open_page()
        wait_until(lambda: self.ask("!!document.querySelector('[data-chart=connections] path.curve')"), "a curve")

        order = []
        for _ in range(9):
            self.driver.press("Tab")
            order.append(self.focused())
        self.assertEqual(order, ["Skip the charts", "pause", "saved", "connections", "latency", "messages", "bytes", "cpu", "memory"])

        self.ask("document.querySelector('[data-chart=connections]').focus()")
        self.driver.press("Home")
        spoken = self.ask("document.activeElement.getAttribute('aria-valuetext')")
        self.assertRegex(spoken, r"^\d\d:\d\d:\d\d: open \d+$")
        when = self.text('[data-chart="connections"] .ends b')
        self.assertRegex(when, r"^\d\d:\d\d:\d\d$")
        self.assertEqual(self.text('[data-chart="bytes"] .ends b'), when, "all charts tell of one time")
        wait_until(lambda: (self.driver.press("End"), self.text('[data-chart="connections"] .ends b'))[1] != when, "a later sample")
        self.driver.press("ArrowLeft", "Escape")
        self.assertEqual(self.text('[data-chart="connections"] .ends b'), "")

        self.ask("[...document.querySelectorAll('[data-table=largest] th button')].find((one) => one.innerText === 'Path').focus()")
        for expected, names in (("ascending", "abc"), ("descending", "cba")):
            self.driver.press("Enter")
            self.assertEqual(self.ask("document.activeElement.closest('th').getAttribute('aria-sort')"), expected)
            self.assertEqual("".join(self.texts('[data-table="largest"] tbody td.word')), "".join(f"/{name}" for name in names))
        self.ask("document.querySelector('summary').focus()")
        self.driver.press("Enter")
        self.assertIn("listeners:", self.text("#config"))

    def test_it_has_landmarks_headings_and_names(self):
        self.start_echo()
        self.open_page()
        unnamed = """[...document.querySelectorAll('[role], button, table')].filter((node) => {
          const label = node.getAttribute('aria-label') ?? document.getElementById(node.getAttribute('aria-labelledby'))?.innerText ?? node.innerText;
          return !label?.trim() && !node.closest('[hidden]') && node.id !== 'silent'; }).map((node) => node.outerHTML.slice(0, 100))"""
        self.assertEqual(self.ask(unnamed), [])
        for tag in ("header", "main", "footer", "h1"):
            self.assertEqual(self.ask("document.querySelectorAll(args[0]).length", tag), 1, tag)
        self.assertEqual(self.ask("[...document.querySelectorAll('table')].filter((table) => !table.caption).length"), 0)
        self.assertEqual(self.ask("document.querySelectorAll('th:not([scope])').length"), 0)
        self.assertEqual(self.ask("[...document.querySelectorAll('[aria-live], [role=status]')].map(({id}) => id)"), ["state"])
        levels = self.ask("[...document.querySelectorAll('h1, h2, h3')].map(({tagName}) => Number(tagName[1]))")
        self.assertTrue(all(after - before <= 1 for before, after in zip(levels, levels[1:])), levels)


class Looks(StatusPageTest):
    def test_nothing_is_wider_than_the_screen_and_every_text_can_be_read_on_its_ground(self):
        self.start_echo(**PATIENT, limits={"allowed_origins": ["https://good.example"]})
        long_path = "/" + "socket.io/?EIO=4&transport=websocket&t=" + "x" * 500
        for path in ("/", long_path):
            client = self.echo_client(path, fields=[("Origin", "https://good.example")], extensions="permessage-deflate")
            client.send(CHAT)
            client.read_message()
        refused = self.closing(self.proxy.client())
        refused.ask("/", fields=[("Origin", "https://bad.example")])
        refused.read_answer()
        self.open_page()
        self.wait_text("#card-rejected", lambda text: "origin" in text)
        self.ask("document.querySelector('details').open = true")
        self.check_looks()
        self.proxy.terminate()
        self.wait_text("#drain", lambda text: "until the rest is cut" in text)
        self.check_looks()

    def check_looks(self):
        for scheme in ("light", "dark"):
            for width in (360, 768, 1280, 1600):
                with self.subTest(scheme=scheme, width=width):
                    self.show_as(width, scheme)
                    self.assertLessEqual(self.ask("document.documentElement.scrollWidth"), width)
            texts = self.driver.run(TEXTS)
            self.assertGreater(len(texts), 100)
            self.assertEqual({contrast(one["ground"], "rgb(0, 0, 0)") > 10 for one in texts if one["text"] == "wsproxy"}, {scheme == "light"})
            for one in texts:
                is_large = one["size"] >= 24 or (one["size"] >= 18.66 and one["weight"] >= 700)
                self.assertGreaterEqual(contrast(one["colour"], one["ground"]), 3 if is_large else 4.5, (scheme, one))


if __name__ == "__main__":
    main()
