"""Errors go to Sentry: the format, what is in them and what is not, and a Sentry that is away, slow or strict."""

import json
import os
import re
import shutil
import signal
import socket
import tempfile
import time

from harness import DEADLINE, EchoApp, SystemTest, main, run_command, wait_until
from harness.authority import Authority
from harness.bystander import bystander
from harness.ports import free_port
from harness.sentry import Sentry, time_of

AWAY, BACK = "Sentry does not take error reports", "Sentry takes error reports again"
MARKER = "marker-of-a-client-7f3a"


class SentryTest(SystemTest):
    """A proxy with a TLS listener whose files can be broken, which is an error, and one or more again at each SIGHUP."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="wsproxy-sentry-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.authority = Authority(cls.folder)
        cls.certificate = cls.authority.issue("proxy")

    def sentry(self, **how):
        one = Sentry(**how)
        self.addCleanup(one.stop)
        return one

    def start_reporting(self, dsn, *, broken=1, **how):
        """`broken` certificates will be wrong, an error for each."""
        folder = tempfile.mkdtemp(dir=self.folder)
        self.files = []
        for at in range(broken):
            file = os.path.join(folder, f"{at}.crt")
            shutil.copyfile(self.certificate.crt, file)
            self.files.append(file)
        sets = [{"certificate": file, "private_key": self.certificate.key} for file in self.files]
        self.port = free_port()
        listeners = [{"name": "public", "address": f"127.0.0.1:{free_port()}"},
                     {"name": "secure", "address": f"127.0.0.1:{self.port}", "tls": {**sets[0], "additional": sets[1:]}}]
        dsn = {"sentry": {"dsn": dsn}} if dsn else {}
        proxy = self.start(EchoApp(), listeners=listeners, **dsn, **how)
        proxy.port = int(listeners[0]["address"].rpartition(":")[2])
        self.is_broken = False
        return proxy

    def err(self):
        """Makes an error, and waits until the log has it."""
        after = len(self.proxy.lines)
        if self.is_broken:
            self.proxy.signal(signal.SIGHUP)
        else:  # the proxy watches its files
            self.is_broken = True
            for file in self.files:
                with open(file, "w") as broken_file:
                    broken_file.write("no certificate\n")
        self.proxy.wait_for_line("new TLS files refused", after=after)

    def end(self):
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)

    def lines(self, text):
        return [json.loads(line) for line in self.proxy.lines if text in line]

    def errors(self):
        return self.lines('"level":"error"')

    def wait_line(self, text):
        self.proxy.wait_for_line(re.escape(text), deadline=2 * DEADLINE)

    def assert_clean(self, sentry):
        self.assertEqual(sentry.problems, [])


class Reports(SentryTest):
    def test_an_error_has_what_is_needed_to_act_on_it(self):
        sentry = self.sentry()
        self.start_reporting(None, args=("--sentry", "--sentry_url", sentry.dsn(prefix="/on/premise"), "--environment", "staging"))
        before = time.time()
        self.err()
        report = sentry.next()
        event = report.event
        self.assertEqual(report.path, "/on/premise/api/42/envelope/")
        self.assertEqual(report.header["dsn"], sentry.dsn(prefix="/on/premise"))
        self.assertEqual((event["level"], report.text), ("error", "new TLS files refused: the ones before stay in use"))
        self.assertEqual((event["environment"], event["server_name"]), ("staging", socket.gethostname()))
        version, _, build_id = run_command("--version").stdout.removeprefix("wsproxy ").partition("\nbuild id ")
        self.assertEqual(event["release"], f"wsproxy@{version}")
        self.assertEqual(event["tags"]["build_id"], build_id.strip())
        self.assertEqual(event["extra"]["key"], "listeners[1].tls.certificate")
        self.assertIn(self.files[0], event["extra"]["problem"])
        self.assertLess(abs(time_of(event["timestamp"]).timestamp() - before), 60)
        self.err()
        self.assertNotEqual(sentry.next().event["event_id"], event["event_id"])
        shown = self.proxy.get("/config")[1]
        self.end()
        self.assert_clean(sentry)
        self.assertEqual(sentry.requests, len(self.errors()), "warnings and its own lines are no errors")
        self.assertNotIn("4d5e6f7a8b9c", "\n".join(self.proxy.lines) + shown, "the key is a secret")

    def test_over_tls_it_believes_only_whom_the_system_does(self):
        certificate = self.authority.issue("sentry")
        sentry = self.sentry(certificate=certificate)
        self.start_reporting(sentry.dsn("localhost"), env={"SSL_CERT_FILE": self.authority.crt})
        self.err()
        sentry.next()
        self.assert_clean(sentry)
        self.start_reporting(sentry.dsn("localhost"), env={"SSL_CERT_FILE": self.certificate.crt})
        self.err()
        self.wait_line(AWAY)
        self.assertIn("certificate", self.lines(AWAY)[0]["reason"])
        self.assertEqual(sentry.requests, 1)

    def test_nothing_of_a_client_is_in_it(self):
        sentry = self.sentry()
        self.start_reporting(sentry.dsn())
        client = self.echo_client(f"/{MARKER}?token={MARKER}", extensions="permessage-deflate",
                                  fields=[("User-Agent", MARKER), ("X-Request-Id", MARKER), ("Cookie", MARKER), ("Origin", f"http://{MARKER}")])
        for turn in range(50):
            client.send(f"{turn} {MARKER} " * 20)
            client.read_message()
        local = "%s:%d" % client.sock.getsockname()
        self.err()
        sentry.next()
        client.finish()
        self.assertNotIn(MARKER.encode(), sentry.raw)
        self.assertNotIn(local.encode(), sentry.raw)
        self.assert_clean(sentry)

    def test_an_error_at_the_start_is_reported_before_the_end(self):
        sentry = self.sentry()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            config = {"listeners": [{"address": "127.0.0.1:%d" % taken.getsockname()[1]}], "admin": {"address": f"127.0.0.1:{free_port()}"},
                      "sentry": {"dsn": sentry.dsn(), "crash_directory": ""}}
            file = os.path.join(self.folder, "taken.yaml")
            with open(file, "w") as out:
                json.dump(config, out)
            result = run_command("run", "--config", file)
        self.assertEqual(result.returncode, 1)
        self.assertIn("in use", json.dumps(sentry.next().event))

    def test_a_flood_is_cut_and_counted(self):
        sentry = self.sentry()
        self.start_reporting(sentry.dsn(), broken=40)
        self.err()
        reports = [sentry.next() for _ in range(30)]
        self.assertEqual(len({report.event["event_id"] for report in reports}), 30)
        self.assertEqual(sum(report.discarded for report in reports), 10)
        self.end()
        self.assertTrue(sentry.is_empty())
        self.assert_clean(sentry)

    def test_a_dsn_that_is_none_is_refused_without_a_word_of_it(self):
        for dsn in ("https://hunter2@host/1/../2?x", "https://hunter2 @host/1"):
            result = run_command("run", "--sentry", "--sentry_url", dsn)
            self.assertEqual(result.returncode, 2)
            self.assertNotIn("hunter2", result.stdout + result.stderr)


class Away(SentryTest):
    def test_one_warning_when_it_is_away_and_one_line_when_it_is_back(self):
        gone = Sentry()
        gone.stop()
        self.start_reporting(gone.dsn())
        with bystander(self.echo_client()):
            for _ in range(5):
                self.err()
            self.wait_line(AWAY)
        line = self.lines(AWAY)[0]
        self.assertEqual((line["level"], line["host"]), ("warning", f"127.0.0.1:{gone.port}"))
        self.assertIn("refused", line["reason"])
        sentry = self.sentry(port=gone.port)
        for _ in range(5):
            sentry.next(2 * DEADLINE)
        self.wait_line(BACK)
        self.assertEqual((len(self.lines(AWAY)), len(self.lines(BACK))), (1, 1))
        self.assertEqual(self.lines(BACK)[0]["level"], "info")
        self.assert_clean(sentry)

    def test_one_that_hangs_holds_up_neither_traffic_nor_the_end_for_long(self):
        sentry = self.sentry()
        sentry.answer = None
        self.start_reporting(sentry.dsn())
        with bystander(self.echo_client()) as other:
            self.err()
            sentry.wait_requests(1)
            for _ in range(8):
                self.err()
            turns = other.turns
            wait_until(lambda: other.turns > turns + 50, "traffic to go on")
        began = time.monotonic()
        self.end()
        self.assertLess(time.monotonic() - began, 2 + 3)
        self.assertEqual(self.lines("error reports are lost at the end")[0]["count"], len(self.errors()))

    def test_one_that_fails_gets_the_same_report_again(self):
        sentry = self.sentry()
        sentry.answer = (503, {})
        self.start_reporting(sentry.dsn())
        self.err()
        first = sentry.next()
        self.wait_line(AWAY)
        sentry.answer = (200, {})
        again = sentry.next()
        self.assertEqual(again.event, first.event)
        self.wait_line(BACK)
        self.assertIn("503", self.lines(AWAY)[0]["reason"])

    def test_one_that_refuses_a_report_does_not_get_it_again(self):
        sentry = self.sentry()
        sentry.answer = (403, {})
        self.start_reporting(sentry.dsn())
        for _ in range(3):
            self.err()
            sentry.next()
        self.wait_line(AWAY)
        sentry.answer = (200, {})
        self.err()
        sentry.next()
        self.wait_line(BACK)
        self.end()
        self.assertEqual((len(self.lines(AWAY)), len(self.lines(BACK)), sentry.requests), (1, 1, len(self.errors())))

    def test_a_limit_of_the_rate_is_kept_to(self):
        for limits in ({"Retry-After": "1"}, {"X-Sentry-Rate-Limits": "50:transaction:key, 1:error:organization"}):
            with self.subTest(limits=limits):
                sentry = self.sentry()
                sentry.answer = (429, limits)
                self.start_reporting(sentry.dsn())
                self.err()
                refused = sentry.next()
                sentry.answer = (200, {})
                self.wait_line("limits the rate")
                self.err()
                report = sentry.next()
                self.assertGreaterEqual(report.when - refused.when, 1)
                self.assertNotEqual(report.event["event_id"], refused.event["event_id"])
                self.assertEqual(report.discarded, 1)
                self.assertEqual(self.lines(AWAY), [], "it is there")
                self.assert_clean(sentry)

    def test_the_end_waits_for_what_can_be_sent(self):
        sentry = self.sentry()
        self.start_reporting(sentry.dsn(), broken=10)
        self.err()
        self.end()
        for _ in range(10):
            sentry.next()
        self.assertEqual(self.lines("are lost"), [])


if __name__ == "__main__":
    main()
