"""A page in headless Chromium connects through the proxy."""

from harness import EchoApp, main
from harness.browser_page import BrowserTest


class Browser(BrowserTest):
    def run_page(self, **settings):
        self.start(EchoApp(subprotocols=("chat.v1",)), **settings)
        self.driver.open(self.page)
        return self.driver.run("everything(arguments[0])", f"ws://127.0.0.1:{self.proxy.port}/page")

    def test_a_page_gets_permessage_deflate_and_everything_it_sends_comes_back(self):
        result = self.run_page()
        self.assertRegex(result["extensions"], r"^permessage-deflate\b")
        self.assertIn("client_max_window_bits=12", result["extensions"])
        self.assert_everything_worked(result)
        request = self.app.requests[0]
        self.assertEqual(request.all("Sec-WebSocket-Extensions"), [])
        self.assertEqual(request.get("Origin"), self.page.rstrip("/"))
        metrics = self.proxy.metrics()
        self.assertGreater(metrics.sum("wsproxy_handshakes_total", extension="accepted"), 2)

    def test_the_same_without_compression(self):
        result = self.run_page(compression={"enabled": False})
        self.assertEqual(result["extensions"], "")
        self.assert_everything_worked(result)

    def test_a_page_of_an_origin_that_is_not_allowed_gets_no_connection(self):
        self.start_echo(limits={"allowed_origins": ["https://elsewhere.example"]})
        self.driver.open(self.page)
        with self.assertRaisesRegex(AssertionError, "no connection"):
            self.driver.run("everything(arguments[0])", f"ws://127.0.0.1:{self.proxy.port}/page")
        self.assertEqual(self.app.requests, [])


if __name__ == "__main__":
    main()
