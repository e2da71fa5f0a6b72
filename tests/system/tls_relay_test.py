"""Messages through the records of an open wss:// connection: slow readers, ends of every kind, key updates."""

import os
import random
import socket
import subprocess
import threading

from harness import DEADLINE, EchoApp, Ended, deflate, frames, main, wait_until
from harness.bystander import bystander
from harness.frames import BINARY
from harness.tls import V12, V13, TlsClient, TlsTest, in_background
from harness.tls_raw import RawTlsClient

MIB = 1 << 20


class RelayTest(TlsTest):
    def raw_pair(self, path="/", **how):
        """A client whose bytes are ours, and the app's side."""
        receive_buffer = how.pop("receive_buffer", None)
        context = self.context(**how)
        return self.secure_pair(path, client=self.closing(RawTlsClient(("127.0.0.1", self.proxy.port), context, receive_buffer=receive_buffer)))

    def nobody_is_left(self):
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "all connections to be gone")
        self.assertTrue(self.proxy.running())


class Pressure(RelayTest):
    settings = {"limits": {"write_buffer": "128KiB"}}

    def test_a_client_that_stops_reading_loses_nothing(self):
        self.start_tls(**self.settings)
        for version in (V12, V13):
            with self.subTest(version=version.name):
                before = self.proxy.metrics().sum("wsproxy_backpressure_total")
                client, side = self.raw_pair(versions=[version], receive_buffer=65536)
                sent = [random.Random(at).randbytes(30_000 + at * 311) for at in range(300)]
                sender = in_background(lambda: [side.send(one) for one in sent])
                self.proxy.wait_metric("wsproxy_backpressure_total", before + 1)
                self.assertTrue(sender.is_alive(), "everything went into buffers: nobody was slowed down")
                for one in sent:
                    self.assertEqual(client.read_message().data, one)
                sender.join(DEADLINE)
                client.send("and the other way")
                self.assertEqual(side.read_message().text, "and the other way")

    def test_an_app_that_stops_reading_loses_nothing(self):
        self.start_tls(**self.settings)
        client, side = self.raw_pair()
        sent = [random.Random(at).randbytes(60_000 + at * 311) for at in range(150)]
        sender = in_background(lambda: [client.send(one) for one in sent])
        self.proxy.wait_metric("wsproxy_backpressure_total", 1)
        for one in sent:
            self.assertEqual(side.read_message().data, one)
        sender.join(DEADLINE)
        side.send("and the other way")
        self.assertEqual(client.read_message().text, "and the other way")

    def test_both_at_once_through_small_buffers(self):
        self.start_tls(EchoApp(), **self.settings)
        client = RawTlsClient(("127.0.0.1", self.proxy.port), self.context(), receive_buffer=65536)
        self.closing(client).open(extensions="permessage-deflate")
        client.inflater = deflate.FastInflater(client.agreed.server_bits, client.agreed.server_takeover)
        sent = [random.Random(at).randbytes(at * 997 % 90_000) for at in range(120)]
        # sealed beforehand: while one thread reads, no other may touch what OpenSSL has
        sealed = client.sock.seal(*(client.message_bytes(one) for one in sent))
        sender = in_background(lambda: client.sock.raw.sendall(sealed))
        for one in sent:
            self.assertEqual(client.read_message().data, one)
        sender.join(DEADLINE)

    def test_records_in_any_size_and_grouping(self):
        self.start_tls()
        client, side = self.raw_pair()
        dice = random.Random(7)
        for pieces in (1, 2, 3, 50):
            sent = [dice.randbytes(dice.choice((0, 1, 125, 126, 5000, 70_000))) for _ in range(40)]
            stream = b"".join(client.message_bytes(one) for one in sent)
            cuts = sorted(dice.randrange(len(stream)) for _ in range(len(sent) * pieces))
            parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)]) if a != b]
            sealed = client.sock.seal(*parts)  # a record or more for each part, whatever the frames are
            client.sock.piece = dice.choice((None, 1400, 16384))
            in_background(lambda: client.sock.push(sealed))
            for one in sent:
                self.assertEqual(side.read_message().data, one)


class Ends(RelayTest):
    def end_of(self, side):
        """How the app hears of the client's end: a close code, or 1006."""
        try:
            return side.read_close()[0]
        except Ended:
            return 1006
        finally:
            side.close()

    def test_a_client_that_ends_in_mid_message_is_lost_however_it_ends(self):
        self.start_tls()
        ends = {
            "without close_notify": lambda sock: sock.raw.close(),
            "half closed": lambda sock: sock.raw.shutdown(socket.SHUT_WR),
            "reset": reset,
            "with close_notify": lambda sock: (sock.close_notify(), sock.raw.close()),
            "close_notify alone": lambda sock: sock.close_notify(),
            "in mid-record": lambda sock: (sock.raw.sendall(sock.seal(bytes(500))[:100]), sock.raw.close()),
        }
        for what, end in ends.items():
            for version in (V12, V13):
                with self.subTest(what, version=version.name):
                    path = f"/{what.replace(' ', '-')}/{version.name}"
                    client, side = self.raw_pair(path, versions=[version])
                    client.send("a whole message")
                    client.send_bytes(client.frame_bytes(BINARY, bytes(1000))[:500])
                    self.assertEqual(side.read_message().text, "a whole message")
                    end(client.sock)
                    self.assertNotIn(self.end_of(side), (1000, 1005), "the app was told that all is well")
                    line = self.proxy.access_line(path)
                    self.assertEqual((line["closed_by"], line["messages_to_app"]), ("client", 1))
        self.nobody_is_left()

    def test_half_closing_between_messages_ends_too(self):
        self.start_tls()
        for what, end in (("tcp", lambda sock: sock.raw.shutdown(socket.SHUT_WR)), ("tls", lambda sock: sock.close_notify())):
            with self.subTest(what):
                client, side = self.raw_pair()
                client.send("hello")
                self.assertEqual(side.read_message().text, "hello")
                end(client.sock)
                self.assertNotIn(self.end_of(side), (1000, 1005))
                while client.sock.raw.recv(65536):
                    pass
        self.nobody_is_left()

    def test_what_came_before_close_notify_arrives(self):
        self.start_tls()
        client, side = self.raw_pair()
        data = b"".join(client.message_bytes(f"message {at}") for at in range(2000))
        client.sock.push(client.sock.seal(data, client.frame_bytes(frames.CLOSE, b"\x03\xe8")))
        client.sock.close_notify()
        for at in range(2000):
            self.assertEqual(side.read_message().text, f"message {at}")
        self.assertEqual(side.read_close()[0], 1000)

    def test_an_orderly_close_from_either_side(self):
        self.start_tls()
        for version in (V12, V13):
            client, side = self.secure_pair(client=self.tls_client(versions=[version]))
            side.send_close(4001, "bye")
            self.assertEqual(client.read_close(), (4001, "bye"))
            client.send_close(4001)
            self.assertEqual(side.read_close()[0], 4001)
            side.close()
            self.assertEqual(client.sock.recv(1), b"")  # close_notify, or it were SSLEOFError
            client.close()
        self.nobody_is_left()

    def test_an_app_that_dies_in_mid_message(self):
        self.start_tls()
        for how in ("reset", "close"):
            for version in (V12, V13):
                with self.subTest(how, version=version.name):
                    client, side = self.secure_pair(client=self.tls_client(versions=[version]))
                    side.send("whole")
                    side.send_bytes(side.frame_bytes(BINARY, bytes(200_000))[:100_000])
                    self.assertEqual(client.read_message().text, "whole")
                    getattr(side, how)()
                    self.assertEqual(client.read_close()[0], 1011)
                    client.send_close(1011)
                    self.assertEqual(client.read_to_end(), b"")
                    client.close()
        self.nobody_is_left()

    def test_connections_that_come_and_go_by_the_dozen_leave_nothing(self):
        self.start_tls(EchoApp())
        dice = random.Random(11)
        context = self.context()
        context.check_hostname = False
        files = len(os.listdir(f"/proc/{self.proxy.pid}/fd"))
        with bystander(self.tls_client().open()):
            def come_and_go(number):
                session = None
                for turn in range(12):
                    client = TlsClient(("127.0.0.1", self.proxy.port), context, session=session)
                    client.open()
                    client.send("x" * dice.randrange(100_000))
                    if turn % 3 == 0:
                        client.read_message()
                        session = client.sock.session
                    client.reset() if (turn + number) % 2 else client.close()
            threads = [threading.Thread(target=come_and_go, args=(number,), daemon=True) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(2 * DEADLINE)
                self.assertFalse(thread.is_alive())
        self.nobody_is_left()
        wait_until(lambda: len(os.listdir(f"/proc/{self.proxy.pid}/fd")) <= files, "all descriptors to be closed")
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.sum("wsproxy_tls_handshakes_total"), 8 * 12 + 1)
        self.assertGreater(metrics.sum("wsproxy_tls_handshakes_total", resumed="true"), 8 * 6)


def reset(machine):
    machine.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    machine.raw.close()


class Keys(TlsTest):
    """TLS 1.3 only (RFC 8446 section 4.6.3): `K` makes openssl's client change its keys and ask for the proxy's new ones."""

    def start_client(self):
        self.start_tls()
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{self.proxy.port}", "-tls1_3", "-servername", "localhost"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.lines = []
        in_background(lambda: self.lines.extend(iter(client.stdout.readline, b"")))
        self.wait_line(b"Verify return code")
        return client

    def wait_line(self, words, count=1):
        wait_until(lambda: sum(words in line for line in self.lines) >= count, f"{words!r} {count} times")

    def say(self, client, words):
        client.stdin.write(words)
        client.stdin.flush()

    def test_they_may_be_changed_under_way(self):
        client = self.start_client()
        for at in range(3):
            self.say(client, b"K\n")
            self.wait_line(b"KEYUPDATE", at + 1)
        self.say(client, b"GET /changed HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        side = self.closing(self.app.next().accept())
        self.assertEqual(side.request.target, "/changed")
        side.send("with new keys\n")
        self.wait_line(b"with new keys")

    def test_a_flood_of_changes_is_ended(self):
        client = self.start_client()
        at = 0
        while client.poll() is None and at < 300:
            try:
                self.say(client, b"K\n")
            except BrokenPipeError:
                break
            at += 1
            wait_until(lambda: client.poll() is not None or sum(b"KEYUPDATE" in line for line in self.lines) >= at, "the change of keys")
        self.assertLess(at, 300)
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the connection to be gone")


if __name__ == "__main__":
    main()
