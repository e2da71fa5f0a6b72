"""A page in headless Chromium connects to a wss:// listener. The browser believes the test's authority, which was imported
into its store, and is told to overlook nothing."""

from harness import EchoApp, NamedApp, main
from harness.authority import Authority
from harness.browser import start_browser
from harness.browser_page import BrowserTest
from harness.tls import TlsTest


class Browser(TlsTest, BrowserTest):
    @classmethod
    def setUpClass(cls):
        cls.make_authority()
        cls.driver = start_browser(cls, cls.ca.crt)
        cls.page = cls.serve_page()

    def run_page(self):
        self.driver.open(self.page)
        return self.driver.run("everything(arguments[0])", f"{self.secure_url}/page")

    def test_a_page_gets_permessage_deflate_and_everything_it_sends_comes_back(self):
        self.start_tls(EchoApp(subprotocols=("chat.v1",)))
        result = self.run_page()
        self.assertRegex(result["extensions"], r"^permessage-deflate\b")
        self.assert_everything_worked(result)
        self.assertEqual(self.app.requests[0].get("X-Forwarded-Proto"), "https")
        self.assertEqual(self.failures(), 0)

    def test_an_https_page_through_the_proxy_opens_its_wss_there(self):
        self.start_tls(NamedApp("app"))
        self.driver.open(f"https://localhost:{self.proxy.port}/a-page")
        self.assertEqual(self.driver.run("Promise.resolve(document.body.innerText)"), "/a-page")
        said = self.driver.run("""new Promise((resolve, reject) => {
            const socket = new WebSocket(`wss://${location.host}/socket`);
            socket.onopen = () => socket.send('hello from a page');
            socket.onmessage = ({data}) => resolve(data);
            socket.onerror = () => reject('no connection');
        })""")
        self.assertEqual(said, "hello from a page")
        self.assertEqual(self.app.requests[-1].get("Origin"), f"https://localhost:{self.proxy.port}")

    def test_a_certificate_of_a_stranger_or_another_name_gets_no_connection(self):
        for what, certificate in (("stranger", Authority(self.folder, "stranger").issue("localhost")),
                                  ("another name", self.ca.issue("other.example", dns=["other.example"], ips=()))):
            with self.subTest(what):
                self.start_tls(EchoApp(), tls=certificate.tls)
                with self.assertRaisesRegex(AssertionError, "no connection"):
                    self.run_page()
                self.assertEqual(self.app.requests, [])
                self.wait_failure("alert")


if __name__ == "__main__":
    main()
