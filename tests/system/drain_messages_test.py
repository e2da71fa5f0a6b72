"""What is under way when the proxy drains arrives, and close frames come between two messages (DESIGN sections 4 and 8)."""

import os
import random
import threading

from harness import Ended, ManualApp, SystemTest, frames, main
from harness.deflate import FastInflater
from harness.frames import BINARY, CLOSE, CONTINUATION, RSV1, TEXT
from harness.tls import TlsManualApp, TlsTest, TwoThreadTlsClient, in_background

MIB = 1 << 20
NARROW = 16384
FULL = {"timeouts": {"close": "20s"}, "limits": {"write_buffer": "128KiB"}}


class MessagesTest(SystemTest):
    def both(self, **settings):
        """Pairs without compression and with it."""
        self.start(**settings)
        return {"plain": self.pair(), "compressed": self.deflated_pair()}

    def end(self, client, app, code=1001):
        """The rest of an orderly drain: the client's answer goes to the app, whose answer is the end."""
        client.send_close(code)
        self.assertEqual(app.read_close()[0], code)
        app.send_close(code)
        app.close()
        client.read_to_end()
        client.close()

    def assert_gone(self):
        self.assertEqual(self.proxy.wait_exit(), 0)


class FromTheClient(MessagesTest):
    def test_a_message_in_fragments_is_finished_after_the_close_frame(self):
        pairs = self.both()
        data = os.urandom(20_000)
        packed = {}
        for name, (client, _) in pairs.items():
            packed[name] = client.compressor.compress(data) if client.compressor else data
            client.send_frame(BINARY, packed[name][:10_000], fin=False, rsv=RSV1 if client.compressor else 0)
        self.proxy.drain()
        for name, (client, app) in pairs.items():
            with self.subTest(name):
                self.assertEqual(client.read_close()[0], 1001)
                for at in range(10_000, len(packed[name]), 1000):
                    client.send_frame(CONTINUATION, packed[name][at : at + 1000], fin=False)
                client.send_frame(CONTINUATION)
                client.send("and one more, since it may")
                self.assertEqual(app.read_message().data, data)
                self.assertEqual(app.read_message().text, "and one more, since it may")
                self.end(client, app)
        self.assert_gone()

    def test_half_a_frame_is_finished_too(self):
        self.start()
        client, app = self.pair()
        whole = client.frame_bytes(BINARY, os.urandom(MIB))
        client.send_bytes(whole[:100_000])
        self.proxy.drain()
        self.assertEqual(client.read_close()[0], 1001)
        writer = in_background(lambda: client.send_bytes(whole[100_000:]))
        self.assertEqual(len(app.read_message().data), MIB)
        writer.join()
        self.end(client, app)
        self.assert_gone()

    def test_all_that_it_sends_until_it_sees_the_close_frame(self):
        pairs = self.both()
        for name, (client, app) in pairs.items():
            client.send_bytes(b"".join(client.message_bytes(f"{at} before") for at in range(500)))
        self.proxy.drain()
        for name, (client, app) in pairs.items():
            with self.subTest(name):
                client.send_bytes(b"".join(client.message_bytes(f"{at} after") for at in range(500)))
                self.assertEqual(client.read_close()[0], 1001)
                for when in ("before", "after"):
                    for at in range(500):
                        self.assertEqual(app.read_message().text, f"{at} {when}")
                self.end(client, app)
        self.assert_gone()


class FromTheApp(MessagesTest):
    def test_no_close_frame_inside_a_message(self):
        pairs = self.both()
        for client, app in pairs.values():
            # a large one streams: the client has some of it and waits for the rest
            app.send_frame(TEXT, b"a" * 100_000, fin=False)
            while len(client.buffer) < 20:
                client.receive_some()
        self.proxy.drain()
        for name, (client, app) in pairs.items():
            with self.subTest(name):
                for _ in range(5):
                    app.send_frame(CONTINUATION, b"b" * 1000, fin=False)
                app.send_frame(CONTINUATION, b"c")
                app.send("too late, or not")
                self.assertEqual(client.read_message().text, "a" * 100_000 + "b" * 5000 + "c")
                code, _ = client.read_close()
                self.assertEqual(code, 1001)
                self.end(client, app)
        self.assert_gone()

    def test_nor_inside_one_that_is_held_until_it_is_whole(self):
        self.start()
        client, app = self.deflated_pair()
        app.send_frame(TEXT, b"held ", fin=False)
        self.proxy.drain()
        for _ in range(20):
            app.send_frame(CONTINUATION, b"back ", fin=False)
        app.send_frame(CONTINUATION, b"a while")
        self.assertEqual(client.read_message().text, "held " + "back " * 20 + "a while")
        self.assertEqual(client.read_close()[0], 1001)
        self.end(client, app)
        self.assert_gone()

    def test_pings_inside_a_message_go_through_while_the_close_frame_waits(self):
        self.start()
        client, app = self.pair()
        app.send_frame(TEXT, b"a" * 100_000, fin=False)
        while len(client.buffer) < 20:
            client.receive_some()
        self.proxy.drain()
        app.send_frame(frames.PING, b"there?")
        self.answer_ping(client)
        self.assertEqual(app.read_control(frames.PONG).payload, b"there?")
        app.send_frame(CONTINUATION, b"b")
        self.assertEqual(len(client.read_message().data), 100_001)
        self.assertEqual(client.read_close()[0], 1001)
        self.end(client, app)
        self.assert_gone()

    def answer_ping(self, client):
        """The client reads on until it has answered a ping, and keeps what it read."""
        kept = []
        while (frame := client.read_frame()).opcode != frames.PING:
            self.assertNotEqual(frame.opcode, CLOSE)
            kept.append(frame)
        client.send_frame(frames.PONG, frame.payload)
        client.buffer[:0] = b"".join(frames.encode(one.opcode, one.payload, fin=one.fin, rsv=one.rsv) for one in kept)

    def test_what_it_had_sent_before_arrives_though_the_client_reads_late(self):
        """More than the proxy queues: the rest waits in the app's socket when the drain begins."""
        self.start(limits={"write_buffer": "128KiB"}, timeouts={"close": "20s"})
        client, app = self.pair(client=self.proxy.client(receive_buffer=4096))
        count = 5000
        sending = in_background(lambda: app.send_bytes(b"".join(app.message_bytes(f"{at} " + "x" * 1000) for at in range(count))))
        self.proxy.wait_metric("wsproxy_backpressure_total", 1)
        sending.join()
        self.proxy.drain()
        got, parts = [], []
        while (frame := client.read_frame()).opcode != CLOSE:
            parts.append(frame.payload)
            if frame.fin:
                got.append(int(b"".join(parts).split()[0]))
                parts = []
        self.assertEqual((got, parts), (list(range(count)), []))
        self.end(client, app)
        self.assert_gone()


class BothWays(MessagesTest):
    """Both directions are full, and what arrives is whole, in order, and without a gap."""

    def slim(self):
        """A client that has little in its kernel, so that it has soon read all that is on its way."""
        return self.proxy.client(receive_buffer=NARROW)

    def pour(self, wire, make):
        """Sends numbered messages until the other side has ended; `sent` tells how many were sent whole."""
        sent, stop = [0], threading.Event()

        def run():
            try:
                while not stop.is_set():
                    wire.send_bytes(make(wire, sent[0]))
                    sent[0] += 1
            except (Ended, OSError):
                pass
        return in_background(run), sent, stop

    def text(self, at):
        """Shrinks to half, not to nothing: what is queued has soon been read."""
        return f"{at} " + random.Random(at).randbytes(at * 997 % 10_000).hex()

    def message(self, wire, at):
        text = self.text(at)
        if at % 3:
            return wire.message_bytes(text)
        half = len(text) // 2
        return (wire.frame_bytes(TEXT, text[:half].encode(), fin=False) + wire.frame_bytes(CONTINUATION, text[half:].encode()))

    def assert_whole(self, message, at):
        self.assertEqual(message.text, self.text(at))

    def saturated(self, client, app):
        if client.agreed:
            client.inflater = FastInflater(client.agreed.server_bits, client.agreed.server_takeover)
        up, up_sent, stop_up = self.pour(client, self.message)
        down, down_sent, stop_down = self.pour(app, self.message)
        counts = {"up": 0, "down": 0}

        def take_up():
            try:
                while True:
                    self.assert_whole(app.read_message(), counts["up"])
                    counts["up"] += 1
            except AssertionError as closed:
                counts["up end"] = str(closed)
            except Ended:
                counts["up end"] = "ended"

        reader = in_background(take_up)
        while counts["down"] < 50 or counts["up"] < 50:
            self.assert_whole(client.read_message(), counts["down"])
            counts["down"] += 1
        self.proxy.terminate()
        enough = counts["down"] + 500
        parts = []
        while (frame := client.read_frame()).opcode != CLOSE:
            parts.append(frame)
            if frame.fin:
                self.assert_whole(client._message_of(parts), counts["down"])
                counts["down"] += 1
                parts = []
                # One that never pauses is read until shortly before drain.timeout, when little time is left.
                if counts["down"] >= enough:
                    stop_down.set()
        self.assertEqual(parts, [], "a close frame inside a message")
        self.assertEqual(frames.close_parts(frame.payload)[0], 1001)
        stop_up.set()
        up.join()
        client.send_close(1001)
        reader.join()
        self.assertEqual(counts["up end"], "closed with (1001, '') instead of a message")
        self.assertEqual(counts["up"], up_sent[0])
        self.assertLessEqual(counts["down"], down_sent[0] + 1)
        stop_down.set()  # a close frame may have come before that
        app.close()
        down.join()
        client.read_to_end()
        client.close()
        self.assert_gone()

    def test_plain(self):
        self.start(ManualApp(receive_buffer=NARROW), **FULL)
        self.saturated(*self.pair(client=self.slim()))

    def test_compressed(self):
        self.start(ManualApp(receive_buffer=NARROW), **FULL)
        self.saturated(*self.deflated_pair(client=self.slim()))


class WithTls(BothWays, TlsTest):
    def slim(self):
        return self.tls_client(receive_buffer=NARROW, kind=TwoThreadTlsClient)

    def test_plain(self):
        self.start_tls(ManualApp(receive_buffer=NARROW), **FULL)
        self.saturated(*self.secure_pair(client=self.slim()))

    def test_compressed(self):
        self.start_tls(ManualApp(receive_buffer=NARROW), **FULL)
        self.saturated(*self.secure_pair(client=self.slim(), extensions="permessage-deflate; client_max_window_bits"))

    def test_a_message_in_fragments_and_close_notify_at_the_end(self):
        self.start_in_front(TlsManualApp(self.certificate))
        client, app = self.pair()
        client.send_frame(TEXT, b"first half, ", fin=False)
        self.proxy.drain()
        self.assertEqual(client.read_close()[0], 1001)
        client.send_frame(CONTINUATION, b"second half")
        self.assertEqual(app.read_message().text, "first half, second half")
        self.end(client, app)
        self.assert_gone()


class Hopeless(MessagesTest):
    def test_who_never_answers_is_cut_at_timeouts_close(self):
        self.start(timeouts={"close": "500ms"}, drain={"timeout": "60s"})
        pairs = [self.pair() for _ in range(5)]
        self.proxy.drain()
        for client, app in pairs:
            self.assertEqual(client.read_close()[0], 1001)
        for client, app in pairs:
            client.read_to_end()
            app.read_to_end()
        self.assert_gone()

    def test_who_does_not_read_is_cut_too(self):
        self.start(timeouts={"close": "500ms", "ping_interval": "0s"}, limits={"write_buffer": "128KiB"}, drain={"timeout": "60s"})
        client, app = self.pair(client=self.proxy.client(receive_buffer=4096))
        stuck = in_background(lambda: self.flood(app))
        self.proxy.wait_metric("wsproxy_backpressure_total", 1)
        self.proxy.drain()
        self.assert_gone()
        stuck.join()

    def test_who_does_not_read_in_the_middle_of_a_message_is_cut_too(self):
        """The close frame has to wait for the end of the message, but not for a client that takes none of it."""
        self.start(timeouts={"close": "500ms", "ping_interval": "0s"}, limits={"write_buffer": "128KiB"}, drain={"timeout": "60s"})
        client, app = self.pair(client=self.proxy.client(receive_buffer=4096))
        stuck = in_background(lambda: self.swallow(lambda: app.send_frame(TEXT, b"x" * 20_000_000, fin=False)))
        self.proxy.wait_metric("wsproxy_backpressure_total", 1)
        self.proxy.drain()
        self.assert_gone()
        stuck.join()

    def swallow(self, send):
        try:
            send()
        except (Ended, OSError):
            pass

    def flood(self, app):
        try:
            while True:
                app.send("x" * 10_000)
        except (Ended, OSError):
            pass

    def test_an_app_that_never_finishes_its_message_is_cut_at_drain_timeout(self):
        self.start(timeouts={"close": "300ms"}, drain={"timeout": "1s"})
        client, app = self.pair()
        app.send_frame(TEXT, b"a" * 100_000, fin=False)
        self.proxy.drain()
        client.read_to_end()
        self.assert_gone()

    def test_who_is_closing_already_keeps_its_code(self):
        self.start(timeouts={"close": "20s"})
        client, app = self.pair()
        client.send_close(4001, "by myself")
        self.assertEqual(app.read_close(), (4001, "by myself"))
        self.proxy.drain()
        app.send_close(4001, "by myself")
        app.close()
        self.assertEqual(client.read_close(), (4001, "by myself"))
        client.read_to_end()
        client.close()
        self.assert_gone()


if __name__ == "__main__":
    main()
