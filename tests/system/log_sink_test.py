"""Whatever stderr does, traffic goes on: unread, stopped, full or closed (docs/logs.md)."""

import fcntl
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

from harness import DEADLINE, SANITIZED, EchoApp, Proxy, SystemTest, main, wait_until

CONNECTIONS = 150  # an access line and more each: a pipe of one page holds about ten
TURNS = 300
# A relay that waited for its log would wait for ever; this tells that from a machine that is busy.
MOST_P99 = 1.0 if SANITIZED else 0.1  # seconds


class Sinks(SystemTest):
    def start_with(self, stderr, **how):
        self.app = EchoApp()
        self.addCleanup(self.app.stop)
        self.proxy = self.watch(Proxy(self.app.url, {"log": {"level": "debug"}}, stderr=stderr, **how))

    def assert_traffic_goes_on(self):
        """While lines are made that go nowhere, one client's echoes come as soon as ever."""
        talker = self.echo_client("/talker")
        took = []
        for turn in range(TURNS):
            if turn % (TURNS // CONNECTIONS) == 0:
                self.echo_client(f"/{turn}").finish()
            began = time.perf_counter()
            talker.send(f"turn {turn}")
            self.assertEqual(talker.read_message().text, f"turn {turn}")
            took.append(time.perf_counter() - began)
        talker.finish()
        p99 = sorted(took)[TURNS * 99 // 100]
        print(f"  p99 {p99 * 1000:.2f} ms", file=sys.stderr)
        self.assertLess(p99, MOST_P99)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_connections_total"), CONNECTIONS + 1)

    def assert_it_ends(self):
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)

    def small_pipe(self):
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        return read, write

    def assert_full(self, write):
        wait_until(lambda: not select.select([], [write], [], 0)[1], "the pipe to be full")

    def test_a_pipe_that_nobody_reads(self):
        read, write = self.small_pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        self.start_with(write)
        self.assert_traffic_goes_on()
        self.assert_full(write)
        self.assert_it_ends()

    def test_a_reader_that_is_stopped_gets_all_when_it_goes_on(self):
        read, write = self.small_pipe()
        self.addCleanup(os.close, write)
        out = tempfile.NamedTemporaryFile()
        self.addCleanup(out.close)
        reader = subprocess.Popen(["cat"], stdin=read, stdout=out)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        os.close(read)
        self.start_with(write)
        reader.send_signal(signal.SIGSTOP)
        self.assert_traffic_goes_on()
        self.assert_full(write)
        reader.send_signal(signal.SIGCONT)

        def said():
            with open(out.name, "rb") as read:  # by a place of its own: the reader writes where `out` stands
                return read.read()
        wait_until(lambda: said().count(b'"message":"access"') == CONNECTIONS + 1, "all access lines")
        self.assert_it_ends()

    def test_a_reader_that_has_gone(self):
        read, write = self.small_pipe()
        self.start_with(write)
        os.close(read)
        os.close(write)
        self.assert_traffic_goes_on()
        self.assert_it_ends()

    def test_a_disk_that_is_full(self):
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, full)
        self.start_with(full)
        self.assert_traffic_goes_on()
        self.assert_it_ends()

    def test_a_stderr_that_is_closed_does_not_become_a_connection(self):
        self.start_with(subprocess.STDOUT, before=["sh", "-c", 'exec "$@" 2>&-', "sh"])
        self.assertEqual(os.readlink(f"/proc/{self.proxy.pid}/fd/2"), "/dev/null")
        self.assert_traffic_goes_on()
        self.assert_it_ends()

    def test_a_terminal_that_is_stopped(self):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        self.start_with(theirs)
        self.assert_traffic_goes_on()  # nobody reads it: its buffer holds a few lines
        self.assert_full(theirs)
        self.assert_it_ends()


if __name__ == "__main__":
    main()
