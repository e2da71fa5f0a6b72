"""The base of tests of plain HTTP: a client and an app, both played by the test, with the proxy in between."""

from . import http_message
from .case import SharedProxyTest, SystemTest
from .http_app import HttpApp
from .http_wire import HttpClient
from .proxy import merged

# One worker: what it has done before it did something else has been done in that order.
ONE_WORKER = {"workers": 1}


class HttpTest(SystemTest):
    def start(self, app=None, **settings):
        return super().start(app or HttpApp(), **merged(ONE_WORKER, settings))

    def client(self, **how):
        return self.closing(HttpClient(("127.0.0.1", self.proxy.port), **how))

    def exchange(self, request, answer=None, *, client=None, to="GET"):
        """Sends the request, lets the app answer: (the app's side, the request's body, the client's answer)."""
        client = client or self.client()
        client.send_bytes(request)
        side = self.app.next()
        body = side.body()
        side.send_bytes(http_message.answer(body=b"") if answer is None else answer)
        side.waits = True
        return side, body, client.read_answer(to)

    def assert_serves(self, client=None, path="/next"):
        """An exchange goes well; on the client given, that connection is still in step."""
        side, _, answer = self.exchange(http_message.request(path), http_message.answer(body=b"still here"), client=client)
        self.assertEqual(side.request.first_line, f"GET {path} HTTP/1.1")
        self.assertEqual((answer.status, answer.data), (200, b"still here"))
        return side

    def rejected(self, reason):
        return self.proxy.metrics().sum("wsproxy_rejected_total", reason=reason)

    def upstream_errors(self, reason):
        return self.proxy.metrics().sum("wsproxy_upstream_errors_total", reason=reason)


class SharedHttpTest(HttpTest, SharedProxyTest):
    """One proxy for the class; each test begins without connections to the app."""

    app_kind = HttpApp

    @classmethod
    def setUpClass(cls):
        cls.settings = merged(ONE_WORKER, cls.settings)
        super().setUpClass()

    def tearDown(self):
        self.app.forget_all()
        super().tearDown()
