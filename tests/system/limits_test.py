"""Numbers that bound what a client may cost: connections, heads, time, memory (DESIGN section 7)."""

import os
import threading
import time

from harness import SANITIZED, Drain, EchoApp, Ended, ManualApp, SharedProxyTest, SystemTest, http_head, main, wait_until
from harness.deflate import FastInflater
from harness.wire import DEADLINE

MIB = 1 << 20


class Connections(SystemTest):
    def assert_turned_away(self, client):
        client.ask()
        try:
            self.assertIn(client.read_answer().status, (429, 503))
        except Ended:
            pass  # being hung up on is as clear

    def test_one_more_than_max_connections_is_turned_away_until_one_leaves(self):
        self.start_echo(limits={"max_connections": 2})
        first, _ = self.echo_client(), self.echo_client()
        self.assert_turned_away(self.closing(self.proxy.client()))
        self.assertGreaterEqual(self.proxy.metrics().sum("wsproxy_rejected_total"), 1)
        first.finish()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 1, "the place to be free")
        self.echo_client()

    def test_max_connections_per_ip_counts_each_address_by_itself(self):
        self.start_echo(limits={"max_connections_per_ip": 1})
        self.echo_client()
        self.assert_turned_away(self.closing(self.proxy.client()))
        other = self.closing(self.proxy.client(source="127.0.0.2"))
        other.open()

    def test_max_connections_of_the_app(self):
        self.start_echo(upstream={"max_connections": 1})
        self.echo_client()
        self.assert_turned_away(self.closing(self.proxy.client()))


class HeaderSize(SharedProxyTest):
    settings = {"limits": {"max_header_size": "2KiB"}}

    def request_of(self, size):
        bare = len(http_head.request(fields=[("X-Pad", "")]))
        request = http_head.request(fields=[("X-Pad", "x" * (size - bare))])
        self.assertEqual(len(request), size)
        return request

    def test_a_head_within_the_limit_passes(self):
        client = self.closing(self.proxy.client())
        client.send_bytes(self.request_of(2000))
        self.closing(self.app.next()).accept()
        self.assertEqual(client.read_answer().status, 101)

    def test_a_head_over_the_limit_is_431_and_the_app_is_not_asked(self):
        for size in (2100, 60_000):
            with self.subTest(size=size):
                client = self.closing(self.proxy.client())
                client.send_bytes(self.request_of(size))
                self.assertEqual(client.read_answer().status, 431)
                self.assertTrue(self.app.nobody_came())

    def test_a_head_that_never_ends_is_431_too(self):
        for piece in (b"X-More: and more\r\n", b"x"):
            with self.subTest(piece=piece):
                client = self.closing(self.proxy.client())
                try:
                    client.send_bytes(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + piece * 5000)
                except Ended:
                    pass
                self.assertEqual(client.read_answer().status, 431)


class HandshakeTime(SystemTest):
    def assert_let_go(self, talk):
        self.start(timeouts={"handshake": "500ms"})
        client = self.closing(self.proxy.client())
        begin = time.monotonic()
        stop = threading.Event()
        talking = threading.Thread(target=talk, args=(client, stop), daemon=True)
        talking.start()
        rest = client.read_to_end()
        took = time.monotonic() - begin
        stop.set()
        talking.join()
        self.assertTrue(rest == b"" or rest.startswith(b"HTTP/1.1 408"), rest)
        self.assertGreater(took, 0.3)
        self.assertLess(took, 3)

    def test_a_client_that_says_nothing_is_let_go(self):
        self.assert_let_go(lambda client, stop: None)

    def test_half_a_request_is_let_go(self):
        self.assert_let_go(lambda client, stop: client.send_bytes(http_head.request()[:-2]))

    def test_byte_after_byte_does_not_buy_time(self):
        def drip(client, stop):
            try:
                while not stop.wait(0.03):
                    client.send_bytes(b"G")
            except (Ended, OSError):
                pass
        self.assert_let_go(drip)


class Backpressure(SystemTest):
    """A side that does not read stops the other one, costs bounded memory, and nobody else."""

    SMALL = 64 * 1024  # socket buffers of ours, so that the proxy has to hold back soon

    def flood(self, wire, message, limit):
        """Sends until nothing goes for a while; the bytes that went. The rest is sent by `finish_flood`."""
        self.pending = memoryview(message * (limit // len(message)))
        wire.sock.setblocking(False)
        sent, quiet_since = 0, time.monotonic()
        while sent < len(self.pending) and time.monotonic() - quiet_since < 0.7:
            try:
                sent += wire.sock.send(self.pending[sent : sent + MIB])
                quiet_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        wire.sock.setblocking(True)
        wire.sock.settimeout(DEADLINE)
        self.pending = self.pending[sent:]
        return sent

    def finish_flood(self, wire):
        wire.sock.settimeout(DEADLINE * 3)
        wire.sock.sendall(self.pending)

    def assert_others_go_on(self):
        client, app = self.deflated_pair("permessage-deflate")
        client.send("meanwhile")
        self.assertEqual(app.read_message().text, "meanwhile")
        app.send("meanwhile")
        self.assertEqual(client.read_message().text, "meanwhile")

    def assert_held_back(self, sender, receiver, side, message, payload_size):
        before = self.proxy.memory()
        limit = 128 * MIB
        sent = self.flood(sender, message, limit)
        self.assertLess(sent, limit // 2, "nothing held the sender back")
        if not SANITIZED:
            self.assertLess(self.proxy.memory("VmHWM") - before, 12 * MIB)
        self.assert_others_go_on()
        self.assertGreaterEqual(self.proxy.metrics().sum("wsproxy_backpressure_total", side=side), 1)
        taken = Drain(receiver)
        self.finish_flood(sender)
        total = limit // len(message) * payload_size
        wait_until(lambda: taken.size == total, "everything to arrive", 30)

    def test_an_app_that_does_not_read_stops_its_client(self):
        self.start(ManualApp(receive_buffer=self.SMALL))
        client, app = self.pair()
        message = client.message_bytes(os.urandom(30_000))
        self.assert_held_back(client, app, "app", message, 30_000)

    def test_a_client_that_does_not_read_stops_its_app(self):
        self.start()
        client, app = self.pair(client=self.proxy.client(receive_buffer=self.SMALL))
        message = app.message_bytes(os.urandom(30_000))
        self.assert_held_back(app, client, "client", message, 30_000)

    def test_a_client_that_does_not_read_compressed_text_stops_its_app(self):
        self.start()
        client, app = self.pair(client=self.proxy.client(receive_buffer=self.SMALL), extensions="permessage-deflate")
        # Hexadecimal digits shrink to half: worth compressing, and too much to vanish. No two messages are alike.
        feed = b"".join(app.message_bytes(os.urandom(15_000).hex()) for _ in range(64 * MIB // 30_000))
        before = self.proxy.memory()
        sent = self.flood(app, feed, len(feed))
        self.assertLess(sent, 48 * MIB)
        if not SANITIZED:
            self.assertLess(self.proxy.memory("VmHWM") - before, 12 * MIB)
        self.assert_others_go_on()
        client.reset()
        app.read_to_end()

    def test_a_small_bomb_to_an_app_that_does_not_read_waits_outside(self):
        self.start(ManualApp(receive_buffer=self.SMALL), limits={"max_message_size": 0})
        client, app = self.deflated_pair("permessage-deflate")
        before = self.proxy.memory()
        bomb = client.message_bytes(bytes(64 * MIB))
        client.send_bytes(bomb)
        for _ in range(20):  # each takes its turn behind whatever is being inflated
            self.assert_others_go_on()
        if not SANITIZED:
            self.assertLess(self.proxy.memory("VmHWM") - before, 12 * MIB)
        taken = Drain(app)
        wait_until(lambda: taken.size == 64 * MIB, "everything to arrive", 30)

    def test_a_stalled_client_that_dies_frees_its_app(self):
        self.start()
        client, app = self.pair(client=self.proxy.client(receive_buffer=self.SMALL))
        self.flood(app, app.message_bytes(os.urandom(30_000)), 64 * MIB)
        client.reset()
        app.read_to_end()
        app.close()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the connection to be gone")


class Idle(SystemTest):
    WARM, COUNT, MESSAGES = 200, 300, 40

    def test_connections_that_have_talked_cost_little_and_leave_nothing(self):
        self.skip_when_sanitized()
        self.start(EchoApp())
        self.talk([self.open_one() for _ in range(self.WARM)])  # the pools of the workers are filled by this
        before = self.proxy.memory()
        clients = [self.open_one() for _ in range(self.COUNT)]
        self.talk(clients)
        each = (self.proxy.memory() - before) / self.COUNT
        self.assertLess(each, 20 * 1024, "bytes a connection")
        self.assertEqual(self.proxy.metrics().sum("wsproxy_connections_active"), self.COUNT + self.WARM)
        for client in clients:
            client.reset()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == self.WARM, "the connections to be gone")

    def open_one(self):
        client = self.echo_client(extensions="permessage-deflate; client_max_window_bits")
        client.inflater = FastInflater(client.agreed.server_bits)
        return client

    def talk(self, clients):
        for turn in range(self.MESSAGES):
            sent = [f'{{"type":"chat","room":{at},"turn":{turn},"text":"some words that differ {at * 7919 + turn * 104729}"}}' * 2
                    for at in range(len(clients))]
            for client, text in zip(clients, sent):
                client.send(text)
            for client, text in zip(clients, sent):
                self.assertEqual(client.read_message().text, text)

    def test_file_descriptors_are_given_back(self):
        self.start(EchoApp())
        count = lambda: len(os.listdir(f"/proc/{self.proxy.pid}/fd"))
        for _ in range(10):  # every worker has what it opens once
            self.echo_client().finish()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the first ones to be gone")
        before = count()
        for at in range(60):
            client = self.echo_client()
            client.finish() if at % 2 else client.reset()
        wait_until(lambda: count() <= before, f"{before} file descriptors")


if __name__ == "__main__":
    main()
