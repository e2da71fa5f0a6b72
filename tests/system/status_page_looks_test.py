"""The status page by keyboard, on every screen, in light and dark."""

from harness import main, wait_until
from harness.status_page import CHAT, PATIENT, TEXTS, StatusPageTest, contrast


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
