"""What the doctor says of other servers. It is not for us to hold them to it: they answer, and there is a report."""

import sys
import unittest

import surroundings  # noqa: F401, first
from harness import main

import real_servers
from doctor import DoctorTest, examine, patience


class Others(DoctorTest):
    def told(self, start, path):
        """The report; what it says against the server goes to stderr, for who looks."""
        app = self.run_app(start)
        report = examine(f"ws://127.0.0.1:{app.port}/{path}", "--json", "--timeout", patience("2s"))
        self.assertIn(report.code, (0, 1, 3), report.errors)
        self.assertEqual(report.errors, "")
        statuses = {check["id"]: check["status"] for check in report.checks()}
        for name in ("handshake.accept", "handshake.case", "framing.ping", "framing.lengths", "framing.fragments", "closing.answer"):
            self.assertEqual(statuses[name], "pass", report.told("fail", "warn"))
        self.assertTrue(report.json["facts"]["echo"])
        self.assertTrue(app.running(), "the doctor has killed it")
        for check in report.checks("fail", "warn"):
            print(f"  {self._testMethodName}: {check['status']} {check['id']}: {check['detail'][:140]}", file=sys.stderr)
        return report

    def test_websockets(self):
        report = self.told(real_servers.websockets_app, "")
        self.assertRegex(report.json["facts"]["permessage_deflate"], "^permessage-deflate")

    def test_aiohttp(self):
        report = self.told(real_servers.aiohttp_app, "ws")
        self.assertRegex(report.json["facts"]["permessage_deflate"], "^permessage-deflate")

    @unittest.skipUnless(real_servers.HAS_WS, "no ws: node/prepare has not run")
    def test_ws(self):
        report = self.told(real_servers.ws_app, "")
        self.assertRegex(report.json["facts"]["permessage_deflate"], "^permessage-deflate")

    @unittest.skipUnless(real_servers.HAS_GO, "no Go app: go/prepare has not run")
    def test_gorilla(self):
        self.told(real_servers.go_app, "ws")

    def test_wsproxy_echo(self):
        self.told(real_servers.wsproxy_echo, "")

    @unittest.skipUnless(real_servers.NGINX, "no nginx")
    def test_nginx_in_front_of_an_echo(self):
        self.told(lambda: real_servers.nginx_before(self.run_app(real_servers.wsproxy_echo).port, self.addCleanup), "")


if __name__ == "__main__":
    main()
