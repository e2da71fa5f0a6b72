"""Numbers that bound what a client may cost: connections, heads, time, memory (DESIGN section 7)."""

import os
import select
import threading
import time

from harness import SANITIZED, Drain, EchoApp, Ended, ManualApp, SharedProxyTest, SystemTest, frames
from harness import http_head, main, wait_until
from harness.deflate import FastInflater
from harness.wire import DEADLINE

MIB = 1 << 20


class Connections(SystemTest):
    def assert_turned_away(self, status, reason):
        before = self.proxy.metrics().sum("wsproxy_rejected_total", reason=reason)
        client = self.closing(self.proxy.client())
        client.ask()
        self.assertEqual(client.read_answer().status, status)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_rejected_total", reason=reason), before + 1)
        return client

    def test_one_more_than_max_connections_is_turned_away_until_one_leaves(self):
        self.start_echo(limits={"max_connections": 2})
        first, _ = self.echo_client(), self.echo_client()
        self.assert_turned_away(503, "max_connections").close()
        first.finish()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 1, "the place to be free")
        self.echo_client()

    def test_max_connections_per_ip_counts_each_address_by_itself(self):
        self.start_echo(limits={"max_connections_per_ip": 1})
        self.echo_client()
        self.assert_turned_away(429, "max_connections_per_ip")
        other = self.closing(self.proxy.client(source="127.0.0.2"))
        other.open()

    def test_max_connections_of_the_app(self):
        self.start_echo(upstream={"max_connections": 1})
        self.echo_client()
        self.assert_turned_away(503, "upstream_max_connections")


class RefusedAndSilent(SystemTest):
    """Whoever got a refusal and does not hang up has no place and does not stay for ever."""

    CROWD = 4

    def refused(self, status, **how):
        client = self.closing(self.proxy.client())
        client.ask(**how)
        self.assertEqual(client.read_answer().status, status)

    def test_they_do_not_keep_a_newcomer_out(self):
        self.start_echo(limits={"max_connections": self.CROWD, "allowed_origins": ["https://good.example"]})
        for _ in range(self.CROWD):
            self.refused(403, fields=[("Origin", "https://evil.example")])
        self.echo_client()

    def test_those_that_the_app_refused_do_not_keep_a_newcomer_from_it(self):
        self.start(upstream={"max_connections": 1})
        refused = self.closing(self.proxy.client())
        refused.ask()
        self.app.next().send_bytes(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(refused.read_answer().status, 403)
        self.pair()

    def test_those_that_were_too_many_do_not_keep_a_newcomer_out_when_the_others_have_left(self):
        self.start_echo(limits={"max_connections": self.CROWD})
        clients = [self.echo_client() for _ in range(self.CROWD)]
        for _ in range(self.CROWD):
            self.refused(503)
        for client in clients:
            client.finish()
        self.proxy.wait_metric("wsproxy_closes_total", self.CROWD, side="client")
        self.echo_client()

    def test_they_are_let_go_after_timeouts_close_and_not_before(self):
        self.start_echo(timeouts={"close": "400ms"})
        begin = time.monotonic()
        client = self.closing(self.proxy.client())
        client.send_bytes(http_head.request(without=["Host"]))
        self.assertEqual(client.read_answer().status, 400)
        self.proxy.wait_metric("wsproxy_connection_duration_seconds_count", 1)
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.assertLess(time.monotonic() - begin, 3)


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


class AnswerHeaderSize(SharedProxyTest):
    settings = {"limits": {"max_header_size": "2KiB"}}

    def answered(self, first_line, size):
        """The client's answer to a head of the app of that size."""
        client = self.closing(self.proxy.client())
        client.ask()
        app = self.closing(self.app.next())
        fields = http_head.answer_101(app.request.get("Sec-WebSocket-Key")).partition(b"\r\n")[2]
        head = first_line + b"\r\nContent-Length: 0\r\nX-Pad: \r\n" + fields
        head = head.replace(b"X-Pad: ", b"X-Pad: " + b"x" * (size - len(head)))
        self.assertEqual(len(head), size)
        try:
            app.send_bytes(head)
        except Ended:
            pass
        return client.read_answer()

    def test_a_head_of_the_app_within_the_limit_passes(self):
        self.assertEqual(self.answered(b"HTTP/1.1 101 Switching Protocols", 2000).status, 101)
        self.assertEqual(self.answered(b"HTTP/1.1 403 Forbidden", 2000).status, 403)

    def test_a_head_of_the_app_over_the_limit_is_a_bad_gateway(self):
        for first_line in (b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 403 Forbidden"):
            for size in (2100, 60_000, 300_000):
                with self.subTest(first_line=first_line, size=size):
                    before = self.proxy.metrics().sum("wsproxy_upstream_errors_total", reason="bad_response")
                    head = self.answered(first_line, size)
                    self.assertEqual(head.status, 502)
                    self.assertIsNone(head.get("X-Pad"))
                    after = self.proxy.metrics().sum("wsproxy_upstream_errors_total", reason="bad_response")
                    self.assertEqual(after, before + 1)


class HandshakeTime(SystemTest):
    def let_go(self, talk):
        """What a client that talks like that has got when its time is over."""
        self.start(timeouts={"handshake": "500ms"})
        begin = time.monotonic()
        client = self.closing(self.proxy.client())
        stop = threading.Event()
        talking = threading.Thread(target=talk, args=(client, stop), daemon=True)
        talking.start()
        rest = client.read_to_end()
        took = time.monotonic() - begin
        stop.set()
        talking.join()
        self.assertGreaterEqual(took, 0.5)
        self.assertLess(took, 3)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_rejected_total", reason="handshake_timeout"), 1)
        return rest

    def test_a_client_that_says_nothing_is_let_go(self):
        self.assertEqual(self.let_go(lambda client, stop: None), b"")

    def test_half_a_request_is_408(self):
        rest = self.let_go(lambda client, stop: client.send_bytes(http_head.request()[:-2]))
        self.assertRegex(rest, rb"\AHTTP/1\.1 408 ")

    def test_byte_after_byte_does_not_buy_time(self):
        def drip(client, stop):
            try:
                while not stop.wait(0.03):
                    client.send_bytes(b"G")
            except (Ended, OSError):
                pass
        self.assertRegex(self.let_go(drip), rb"\AHTTP/1\.1 408 ")


class Backpressure(SystemTest):
    """A side that does not read stops the other one, costs bounded memory, and nobody else."""

    SMALL = 64 * 1024  # socket buffers of ours, so that the proxy has to hold back soon
    QUIET = 0.7  # seconds in which nothing goes: the sender is being held back
    READ = 128 * 1024  # what one read may bring after the last look at the queue

    def flood(self, wire, message, limit):
        """Sends until nothing goes for a while; the bytes that went. The rest is sent by `finish_flood`."""
        self.pending = memoryview(message * (limit // len(message)))
        wire.sock.setblocking(False)
        sent = 0
        while sent < len(self.pending) and select.select([], [wire.sock], [], self.QUIET)[1]:
            sent += wire.sock.send(self.pending[sent : sent + MIB])
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

    def assert_held_back(self, sender, side, message, limit=128 * MIB):
        before = self.proxy.memory()
        sent = self.flood(sender, message, limit)
        self.assertLess(sent, limit // 2, "nothing held the sender back")
        if not SANITIZED:
            self.assertLess(self.proxy.memory("VmHWM") - before, 12 * MIB)
        self.assert_others_go_on()
        self.assertGreaterEqual(self.proxy.metrics().sum("wsproxy_backpressure_total", side=side), 1)

    def assert_held_back_and_arrives(self, sender, receiver, side, message, payload_size):
        limit = 128 * MIB
        self.assert_held_back(sender, side, message, limit)
        taken = Drain(receiver)
        self.finish_flood(sender)
        total = limit // len(message) * payload_size
        wait_until(lambda: taken.size == total, "everything to arrive", 30)

    def test_an_app_that_does_not_read_stops_its_client(self):
        self.start(ManualApp(receive_buffer=self.SMALL))
        client, app = self.pair()
        message = client.message_bytes(os.urandom(30_000))
        self.assert_held_back_and_arrives(client, app, "app", message, 30_000)

    def test_a_client_that_does_not_read_stops_its_app(self):
        self.start()
        client, app = self.pair(client=self.proxy.client(receive_buffer=self.SMALL))
        message = app.message_bytes(os.urandom(30_000))
        self.assert_held_back_and_arrives(app, client, "client", message, 30_000)

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

    def test_pings_of_an_app_to_a_client_that_does_not_read_stop_the_app(self):
        self.start()
        client, app = self.pair(client=self.proxy.client(receive_buffer=self.SMALL))
        self.assert_held_back(app, "client", app.frame_bytes(frames.PING, b"p" * 125))
        client.reset()
        app.read_to_end()

    def test_pings_of_a_client_to_an_app_that_does_not_read_stop_the_client(self):
        self.start(ManualApp(receive_buffer=self.SMALL), limits={"control_frames_per_second": 0})
        client, app = self.pair()
        self.assert_held_back(client, "app", client.frame_bytes(frames.PING, b"p" * 125))
        app.reset()
        self.assertEqual(client.read_close()[0], 1011)

    def test_what_a_client_says_before_its_101_waits_outside_and_arrives(self):
        self.start()
        client = self.closing(self.proxy.client())
        client.ask()
        app = self.closing(self.app.next())
        before = self.proxy.memory()
        message = client.message_bytes(os.urandom(30_000))
        limit = 64 * MIB
        self.assertLess(self.flood(client, message, limit), limit // 2, "nothing held the client back")
        if not SANITIZED:
            self.assertLess(self.proxy.memory("VmHWM") - before, MIB)
        app.accept()
        self.assertEqual(client.read_answer().status, 101)
        taken = Drain(app)
        self.finish_flood(client)
        wait_until(lambda: taken.size == limit // len(message) * 30_000, "everything to arrive", 30)

    def test_a_refusal_that_a_client_does_not_take_is_held_back_and_ends(self):
        self.start(upstream={"response_timeout": "1500ms"}, timeouts={"close": "500ms"})
        client = self.closing(self.proxy.client(receive_buffer=self.SMALL))
        client.ask()
        app = self.closing(self.app.next())
        before = self.proxy.memory()
        limit = 64 * MIB
        app.send_bytes(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % limit)
        begin = time.monotonic()
        self.assertLess(self.flood(app, bytes(MIB), limit), limit // 2, "nothing held the app back")
        if not SANITIZED:
            self.assertLess(self.proxy.memory("VmHWM") - before, 2 * MIB)
        app.read_to_end()
        self.assertGreaterEqual(time.monotonic() - begin, 1.5)
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 0, "the connection to be gone")

    def test_reading_that_stops_in_the_middle_of_what_was_read_is_counted_too(self):
        self.start(ManualApp(receive_buffer=self.SMALL), limits={"max_message_size": 0})
        client, _ = self.deflated_pair("permessage-deflate")
        client.send(bytes(64 * MIB))  # one read of the proxy, and far more than it may queue
        self.proxy.wait_metric("wsproxy_backpressure_total", 1, side="app")

    def test_write_buffer_is_how_much_is_held_for_a_client_that_does_not_read(self):
        for write_buffer, at_least in ((128 * 1024, 1), (8 * MIB, 2 * MIB)):
            with self.subTest(write_buffer=write_buffer):
                self.start(limits={"write_buffer": write_buffer})
                client, app = self.pair(client=self.proxy.client(receive_buffer=self.SMALL))
                before = self.proxy.memory()
                self.flood(app, app.message_bytes(os.urandom(30_000)), 64 * MIB)
                metrics = self.proxy.metrics()
                read, written = (metrics.sum("wsproxy_wire_bytes_total", direction="to_client", side=side)
                                 for side in ("app", "client"))
                self.assertLessEqual(read - written, write_buffer + self.READ)
                self.assertGreaterEqual(read - written, at_least, "it stopped the app too soon")
                if not SANITIZED:
                    self.assertLess(self.proxy.memory("VmHWM") - before, 2 * write_buffer + MIB)


class Idle(SystemTest):
    WARM, COUNT, MESSAGES = 200, 300, 40

    def test_connections_that_have_talked_cost_little_and_leave_nothing(self):
        self.skip_when_sanitized()
        self.start(EchoApp())
        before = self.proxy.memory()
        self.talk([self.open_one() for _ in range(self.WARM)])
        clients = [self.open_one() for _ in range(self.COUNT)]
        self.talk(clients)
        # What the busy needed goes back to the kernel soon after; it is no cost of a connection.
        count = self.WARM + self.COUNT
        wait_until(lambda: (self.proxy.memory() - before) / count < 12 * 1024, "12 KiB a connection at most")
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
