"""The base of every test: stops what it started, and shows the proxy's log when it fails."""

import sys
import time
import unittest

from .app import EchoApp, ManualApp
from .proxy import SANITIZED, Process, Proxy


class SystemTest(unittest.TestCase):
    longMessage = True

    def setUp(self):
        self.processes = []

    def start(self, app=None, *, wait="ready", args=(), env=None, app_url=None, before=(), **settings):
        """A proxy in front of `app` (default: one played by hand, as self.app), with changes to its config."""
        self.app = app or ManualApp()
        self.addCleanup(self.app.stop)
        self.proxy = Proxy(app_url or self.app.url, settings, wait=wait, args=args, env=env, before=before)
        return self.watch(self.proxy)

    def watch(self, process):
        self.processes.append(process)
        self.addCleanup(process.stop)
        return process

    def start_echo(self, **settings):
        return self.start(EchoApp(), **settings)

    def command(self, *args, **env):
        """A wsproxy that is left running, such as `echo`."""
        return self.watch(Process(*args, **env))

    def closing(self, wire):
        self.addCleanup(wire.close)
        return wire

    def pair(self, path="/", *, answer=(), client=None, **how):
        """A client and the app's side of the same connection, both past the handshake."""
        client = self.closing(client or self.proxy.client())
        client.ask(path, **how)
        side = self.closing(self.app.next().accept(*answer))
        head = client.read_answer()
        self.assertEqual(head.status, 101, head.raw)
        return client, side

    def deflated_pair(self, offer="permessage-deflate; client_max_window_bits", **how):
        client, side = self.pair(extensions=offer, **how)
        self.assertIsNotNone(client.agreed, "no extension was agreed")
        return client, side

    def echo_client(self, path="/", **how):
        return self.closing(self.proxy.client()).open(path, **how)

    def skip_when_sanitized(self):
        if SANITIZED:
            self.skipTest("a sanitizer's own memory hides the proxy's")


class SharedProxyTest(SystemTest):
    """One proxy for a whole class whose tests do not disturb each other; `settings` is its config."""

    settings = {}
    app_kind = ManualApp

    @classmethod
    def setUpClass(cls):
        cls.app = cls.app_kind()
        cls.addClassCleanup(cls.app.stop)
        cls.proxy = Proxy(cls.app.url, cls.settings)
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        super().setUp()
        self.processes = [self.proxy]
        self.first_line = len(self.proxy.lines)


class _ResultWithLog(unittest.TextTestResult):
    SHOWN = 60
    SLOW = 2.0  # seconds; a test that takes longer says so, since the whole suite has a minute

    def startTest(self, test):
        super().startTest(test)
        self._began = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        took = time.monotonic() - self._began
        if took > self.SLOW:
            self.stream.writeln(f"  {test.id()} took {took:.1f} s")

    def _exc_info_to_string(self, error, test):
        text = super()._exc_info_to_string(error, test)
        for process in getattr(getattr(test, "test_case", test), "processes", []):
            text += f"\nthe last lines of wsproxy (pid {process.pid}):\n  " + "\n  ".join(process.lines[-self.SHOWN:]) + "\n"
        return text


def main():
    # Several suites run at once: a test's name goes out when it starts, so that a hang names itself.
    runner = unittest.TextTestRunner(stream=sys.stderr, resultclass=_ResultWithLog, verbosity=2)
    unittest.main(module="__main__", testRunner=runner)
