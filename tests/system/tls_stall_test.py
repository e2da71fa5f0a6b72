"""Peers that are slow, stop or leave in the middle of a TLS handshake: what it is called, when it ends, and that it costs
nobody else anything."""

import socket
import ssl
import time

from harness import SANITIZED, connect_tcp, http_head, main, wait_until
from harness.authority import Authority
from harness.bystander import bystander
from harness.tls import V12, V13, SharedTlsTest, TlsTest
from harness.tls_raw import Machine, RawTlsClient

SHORT = 2.0 if SANITIZED else 0.5


class StallTest(SharedTlsTest):
    settings = {"timeouts": {"handshake": f"{int(SHORT * 1000)}ms"}}

    def tearDown(self):
        self.doCleanups()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "all connections to be gone")
        super().tearDown()

    def machine(self, **how):
        raw = self.closing(connect_tcp(("127.0.0.1", self.proxy.port)))
        return Machine(raw, self.context(**how))

    def numbers(self):
        metrics = self.proxy.metrics()
        return {reason: metrics.sum("wsproxy_tls_handshake_errors_total", reason=reason) for reason in ("timeout", "closed", "alert")} | {
            "all": metrics.sum("wsproxy_tls_handshake_errors_total"), "rejected": metrics.sum("wsproxy_rejected_total"),
            "tls": metrics.sum("wsproxy_rejected_total", reason="tls")}

    def assert_counted(self, before, first, **more):
        """So many more of each, and no other; as many debug lines."""
        count = sum(more.values())
        self.proxy.wait_metric("wsproxy_rejected_total", before["rejected"] + count)
        wanted = {**before, **{reason: before[reason] + number for reason, number in more.items()}}
        for total in ("all", "rejected", "tls"):
            wanted[total] += count
        self.assertEqual(self.numbers(), wanted)
        for reason, number in more.items():
            def lines(reason=reason):
                return [line for line in self.proxy.lines[first:] if '"TLS handshake failed"' in line and f'"reason":"{reason}"' in line]
            wait_until(lambda: len(lines()) >= number, f"{number} lines with {reason}")
            self.assertTrue(all('"level":"debug"' in line for line in lines()))


class Stalled(StallTest):
    def wait_end(self, raw):
        try:
            while raw.recv(65536):
                pass
        except ConnectionResetError:
            pass

    def test_whoever_stops_is_closed_after_timeouts_handshake(self):
        before, first = self.numbers(), len(self.proxy.lines)
        for where in ("after a byte", "in the hello", "after the hello", "in the second flight"):
            with self.subTest(where):
                machine, begin = self.machine(versions=[V12]), time.monotonic()
                hello = machine.first_flight()
                cut = {"after a byte": 1, "in the hello": len(hello) // 2}.get(where, len(hello))
                machine.push(hello[:cut])
                if where == "in the second flight":
                    machine.push(machine.second_flight()[:-1])
                self.wait_end(machine.raw)
                self.assertGreaterEqual(time.monotonic() - begin, SHORT - 0.02)
                self.assertLess(time.monotonic() - begin, SHORT + 2)
        self.assert_counted(before, first, timeout=4)

    def test_dripping_does_not_buy_time(self):
        before, first, begin = self.numbers(), len(self.proxy.lines), time.monotonic()
        machine = self.machine()
        machine.raw.settimeout(0.05)
        ended = False
        for byte in machine.first_flight():
            try:
                machine.raw.sendall(bytes([byte]))
                ended = machine.raw.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
            if ended:
                break
        self.assertTrue(ended)
        self.assertLess(time.monotonic() - begin, SHORT + 2)
        self.assert_counted(before, first, timeout=1)

    def test_silence_from_the_first_byte_on_is_no_failed_handshake(self):
        before, begin = self.numbers(), time.monotonic()
        raw = self.closing(connect_tcp(("127.0.0.1", self.proxy.port)))
        self.assertEqual(raw.recv(1), b"")
        self.assertGreaterEqual(time.monotonic() - begin, SHORT - 0.02)
        self.assertEqual(self.numbers()["all"], before["all"])

    def test_a_crowd_that_has_stopped_is_let_go_and_disturbs_nobody(self):
        before, first = self.numbers(), len(self.proxy.lines)
        with bystander(self.tls_client().open()) as other:
            machines = []
            for _ in range(150):
                machines.append(self.machine())
                machines[-1].push(machines[-1].first_flight())
            turns = other.turns
            for machine in machines:
                self.wait_end(machine.raw)
            self.assertGreater(other.turns, turns + 20)
        self.assert_counted(before, first, timeout=150)


class Left(StallTest):
    def test_hanging_up_in_the_middle_is_closed(self):
        before, first = self.numbers(), len(self.proxy.lines)
        for leave in (lambda raw: raw.close(), reset, lambda raw: raw.shutdown(socket.SHUT_WR)):
            for size in (1, 100, None):
                machine = self.machine()
                machine.push(machine.first_flight()[:size])
                if size is None:
                    machine.raw.recv(1)  # the proxy has answered
                leave(machine.raw)
        self.assert_counted(before, first, closed=9)

    def test_a_connection_that_ends_before_its_first_byte_is_no_error(self):
        before, first = self.numbers(), len(self.proxy.lines)
        done = self.proxy.metrics().sum("wsproxy_connection_duration_seconds_count")
        for leave in (lambda raw: raw.close(), reset, lambda raw: raw.shutdown(socket.SHUT_WR)):
            raw = self.closing(connect_tcp(("127.0.0.1", self.proxy.port)))
            leave(raw)
        self.proxy.wait_metric("wsproxy_connection_duration_seconds_count", done + 3)
        self.assertEqual(self.numbers(), before)
        self.assertEqual([line for line in self.proxy.lines[first:] if "TLS" in line], [])

    def test_a_client_that_does_not_believe_us_says_so_in_an_alert(self):
        before, first = self.numbers(), len(self.proxy.lines)
        stranger = Authority(self.folder, "stranger").crt
        for version in (V12, V13):
            with self.assertRaisesRegex(ssl.SSLError, "(?i)certificate.verify.failed"):
                self.tls_client(ca=stranger, versions=[version])
        self.assert_counted(before, first, alert=2)
        self.assertIn("unknown ca", self.proxy.wait_for_line('"reason":"alert"', after=first).string)

    def test_a_client_that_leaves_right_after_its_handshake_is_no_failed_one(self):
        before = self.numbers()
        done = self.proxy.metrics().sum("wsproxy_tls_handshakes_total")
        for version in (V12, V13):
            self.tls_client(versions=[version]).close()
            self.tls_client(versions=[version]).reset()
        self.proxy.wait_metric("wsproxy_tls_handshakes_total", done + 4)
        self.assertEqual(self.numbers()["all"], before["all"])


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


class Slow(TlsTest):
    def test_a_handshake_byte_by_byte_succeeds_within_the_time(self):
        self.start_tls()
        for version in (V12, V13):
            with self.subTest(version=version.name):
                client = self.closing(RawTlsClient(("127.0.0.1", self.proxy.port), self.context(versions=[version]), piece=1))
                client.ask("/slow")
                side = self.closing(self.app.next().accept())
                self.assertEqual(client.read_answer().status, 101)
                client.send("slowly " * 30)
                self.assertEqual(side.read_message().text, "slowly " * 30)
                side.send("and back")
                self.assertEqual(client.read_message().text, "and back")
        self.assertEqual(self.failures(), 0)

    def test_flights_and_request_in_one_piece_are_fine_too(self):
        self.start_tls()
        raw = connect_tcp(("127.0.0.1", self.proxy.port))
        machine = Machine(raw, self.context(versions=[V13]))
        machine.push(machine.first_flight())
        finished = machine.second_flight()
        machine.push(finished + machine.seal(http_head.request("/together"), b"", b"\x81\x85\0\0\0\0hello"))
        self.addCleanup(raw.close)
        side = self.closing(self.app.next().accept())
        self.assertEqual(side.read_message().text, "hello")

    def test_whoever_is_in_mid_handshake_does_not_hold_up_the_end(self):
        self.start_tls()
        machine = Machine(connect_tcp(("127.0.0.1", self.proxy.port)), self.context())
        self.addCleanup(machine.close)
        machine.push(machine.first_flight()[:-1])
        self.proxy.wait_metric("wsproxy_connections_active", 1)
        self.proxy.terminate()
        self.assertEqual(machine.raw.recv(1), b"")
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_who_has_no_place_gets_no_handshake(self):
        for limit in ("max_connections_per_ip", "max_connections"):
            with self.subTest(limit):
                self.start_tls(limits={limit: 1})
                first = self.tls_client()
                raw = connect_tcp(("127.0.0.1", self.proxy.port))
                self.addCleanup(raw.close)
                self.assertEqual(raw.recv(1), b"")
                self.proxy.wait_metric("wsproxy_rejected_total", 1, reason=limit)
                self.assertEqual(self.failures(), 0)
                first.close()
                wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the first to be gone")
                self.tls_client().close()


if __name__ == "__main__":
    main()
