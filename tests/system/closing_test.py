"""How connections end: orderly both ways, by a peer that dies, by silence (DESIGN section 3, points 4 and 6)."""

import os
import signal
import socket
import subprocess
import threading
import time
import zlib

from harness import DEADLINE, SANITIZED, WSPROXY, EchoApp, Ended, ManualApp, SharedProxyTest, SystemTest, frames, free_port
from harness import environment, http_head, main, refuses_connections, wait_until

CODES = [(1000, ""), (1000, "done"), (1001, "leaving"), (1003, ""), (1007, "bad"), (1008, "policy"), (1011, "oops"),
         (1012, ""), (1013, "later"), (3000, "registered"), (3999, ""), (4000, "größe " * 15), (4999, "x" * 123), (None, "")]


class Orderly(SharedProxyTest):
    def test_the_client_s_code_and_reason_reach_the_app_and_its_answer_the_client(self):
        for code, reason in CODES:
            with self.subTest(code=code, reason=reason):
                client, app = self.deflated_pair()
                client.send_close(code, reason)
                self.assertEqual(app.read_close(), (code, reason))
                app.send_close(code, "")
                app.close()
                self.assertEqual(client.read_close()[0], code)
                self.assertEqual(client.read_to_end(), b"")

    def test_the_app_s_code_and_reason_reach_the_client_and_its_answer_the_app(self):
        for code, reason in CODES:
            with self.subTest(code=code, reason=reason):
                client, app = self.deflated_pair()
                app.send_close(code, reason)
                self.assertEqual(client.read_close(), (code, reason))
                client.send_close(code, "")
                self.assertEqual(app.read_close()[0], code)
                app.close()
                self.assertEqual(client.read_to_end(), b"")

    def test_messages_before_a_close_frame_come_before_it(self):
        client, app = self.deflated_pair()
        app.send_bytes(b"".join(app.message_bytes(f"message {at} " * 20) for at in range(100))
                       + app.frame_bytes(frames.CLOSE, frames.close_payload(4001, "after all")))
        for at in range(100):
            self.assertEqual(client.read_message().text, f"message {at} " * 20)
        self.assertEqual(client.read_close(), (4001, "after all"))

    def test_both_may_close_at_the_same_time(self):
        client, app = self.pair()
        client.send_close(4001)
        app.send_close(4002)
        self.assertIn(client.read_close()[0], (4001, 4002))
        self.assertIn(app.read_close()[0], (4001, 4002))
        app.close()
        client.read_to_end()

    def test_a_close_frame_inside_a_fragmented_message_ends_it(self):
        client, app = self.deflated_pair()
        client.send_frame(frames.TEXT, b"never to be finished", fin=False)
        client.send_close(4003, "changed my mind")
        self.assertEqual(app.read_close(), (4003, "changed my mind"))


class ClientGone(SharedProxyTest):
    def test_a_client_that_vanishes_is_an_end_without_a_close_frame_for_the_app(self):
        for how in ("close", "reset"):
            for offer in (None, "permessage-deflate"):
                with self.subTest(how=how, offer=offer):
                    client, app = self.pair(extensions=offer)
                    client.send("hello")
                    app.read_message()
                    getattr(client, how)()
                    app.expect_end_without_close()

    def test_a_client_that_vanishes_inside_a_message(self):
        for compressed in (False, True):
            with self.subTest(compressed=compressed):
                client, app = self.pair(extensions="permessage-deflate" if compressed else None)
                client.send_bytes(client.message_bytes("half of a message " * 1000)[:-20])
                client.close()
                app.expect_end_without_close()

    def test_a_client_that_vanishes_while_the_app_thinks_frees_the_app(self):
        client = self.closing(self.proxy.client())
        client.ask()
        app = self.closing(self.app.next())
        client.reset()
        try:
            app.accept()
            app.read_to_end()
        except Ended:
            pass

    def test_a_client_that_says_nothing_at_all_harms_nobody(self):
        self.closing(self.proxy.client()).close()
        self.pair()

    def test_what_it_said_before_the_101_arrives_though_it_hangs_up_while_that_waits_for_room(self):
        size = 15 * 1024 * 1024  # far more than the app's socket takes while it does not read
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = (packer.compress(bytes(size)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        client = self.closing(self.proxy.client())
        frame = client.frame_bytes(frames.BINARY, packed, rsv=4)
        client.send_bytes(http_head.request(extensions="permessage-deflate") + frame)
        app = self.closing(self.app.next()).accept()
        self.assertEqual(client.read_answer().status, 101)
        client.sock.shutdown(socket.SHUT_WR)
        client.sock.setblocking(True)
        begin = time.monotonic()
        self.assertEqual(len(app.read_message(deadline=DEADLINE * 3).data), size)
        app.expect_end_without_close()
        self.assertLess(time.monotonic() - begin, 4 if not SANITIZED else 60, "the end waited for timeouts.close")


class AppGone(SharedProxyTest):
    def test_an_app_that_vanishes_gives_the_client_1011(self):
        for how in ("close", "reset"):
            for offer in (None, "permessage-deflate"):
                with self.subTest(how=how, offer=offer):
                    client, app = self.pair(extensions=offer)
                    getattr(app, how)()
                    self.assertEqual(client.read_close()[0], 1011)
                    client.send_close(1011)
                    client.read_to_end()

    def test_an_app_that_vanishes_between_fragments(self):
        for offer in (None, "permessage-deflate"):
            with self.subTest(offer=offer):
                client, app = self.pair(extensions=offer)
                app.send_frame(frames.TEXT, b"the first part of a longer text, ", fin=False)
                app.send_frame(frames.PING)
                app.close()
                self.assertEqual(client.read_close()[0], 1011)

    def test_an_app_that_vanishes_inside_a_frame_that_was_to_be_compressed(self):
        client, app = self.pair(extensions="permessage-deflate")
        app.send_bytes(app.message_bytes("text of which the end is missing, " * 100)[:-100])
        app.close()
        self.assertEqual(client.read_close()[0], 1011)

    def test_an_app_that_vanishes_inside_a_frame_that_streams_through(self):
        """What has come of it goes on as fragments, so that a close frame always fits behind it."""
        for size in (1000, 300_000):
            with self.subTest(size=size):
                client, app = self.pair()
                payload = os.urandom(size)
                app.send_bytes(app.message_bytes(payload)[:-100])
                app.close()
                got = b""
                while (frame := client.read_frame()).opcode != frames.CLOSE:
                    self.assertFalse(frame.fin, "half a message was passed off as a whole one")
                    got += frame.payload
                self.assertEqual(frames.close_parts(frame.payload)[0], 1011)
                self.assertEqual(got, payload[:-100])

    def test_what_the_app_said_before_it_vanished_arrives(self):
        client, app = self.deflated_pair()
        app.send("last words, and quite a few of them, so that they are compressed")
        app.close()
        self.assertEqual(client.read_message().text, "last words, and quite a few of them, so that they are compressed")
        self.assertEqual(client.read_close()[0], 1011)


class AppKilled(SystemTest):
    def test_kill_9_of_the_app_is_1011_for_each_of_its_clients_and_502_for_the_next(self):
        port = free_port()
        app = subprocess.Popen([WSPROXY, "echo", "--port", str(port)], env=environment(), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        self.addCleanup(app.wait)
        self.addCleanup(app.kill)
        self.start(app_url=f"ws://127.0.0.1:{port}", upstream={"connect_timeout": "300ms"})
        clients = [self.echo_client(extensions="permessage-deflate") for _ in range(5)]
        for client in clients:
            client.send_frame(frames.TEXT, client.compressor.compress(b"half of it ")[:5], fin=False, rsv=frames.RSV1)
        app.send_signal(signal.SIGKILL)
        for client in clients:
            self.assertEqual(client.read_close()[0], 1011)
        late = self.closing(self.proxy.client())
        late.ask()
        self.assertEqual(late.read_answer().status, 502)
        wait_until(lambda: self.proxy.get("/readyz")[0] == 503, "readiness to notice")

    def test_the_operator_may_choose_the_code_for_a_lost_app(self):
        self.start(upstream={"lost_code": 1014})
        client, app = self.pair()
        app.reset()
        self.assertEqual(client.read_close()[0], 1014)


class AppNotThere(SystemTest):
    def test_no_app_is_a_bad_gateway_after_the_connect_timeout(self):
        self.start(app_url=f"ws://127.0.0.1:{free_port()}", wait="live", upstream={"connect_timeout": "400ms"})
        client = self.closing(self.proxy.client())
        begin = time.monotonic()
        client.ask()
        self.assertEqual(client.read_answer().status, 502)
        self.assertGreaterEqual(time.monotonic() - begin, 0.4, "it did not try again")
        self.assertLess(time.monotonic() - begin, 3)
        status, reason = self.proxy.get("/readyz")
        self.assertEqual(status, 503)
        self.assertTrue(reason.strip(), "a 503 must say why")
        self.assertEqual(self.proxy.get("/livez")[0], 200)

    def test_an_app_that_starts_late_is_waited_for(self):
        port = free_port()
        self.start(app_url=f"ws://127.0.0.1:{port}", wait="live", upstream={"connect_timeout": "8s"})
        client = self.closing(self.proxy.client())
        client.ask("/early")
        self.proxy.wait_metric("wsproxy_connections_active", 1)
        self.assertTrue(refuses_connections(port))
        late = ManualApp(("127.0.0.1", port))
        self.addCleanup(late.stop)
        late.next().accept()
        self.assertEqual(client.read_answer().status, 101)

    def test_an_app_that_does_not_answer_is_a_gateway_timeout(self):
        self.start(upstream={"response_timeout": "300ms"})
        client = self.closing(self.proxy.client())
        client.ask()
        app = self.closing(self.app.next())
        self.assertEqual(client.read_answer().status, 504)
        app.read_to_end()

    def test_an_app_that_answers_drop_by_drop_is_a_gateway_timeout(self):
        self.start(upstream={"response_timeout": "400ms"})
        client = self.closing(self.proxy.client())
        client.ask()
        app = self.closing(self.app.next())
        stop = threading.Event()

        def drip():
            try:
                app.send_bytes(b"HTTP/1.1 101 Switching Protocols\r\n")
                while not stop.wait(0.05):
                    app.send_bytes(b"X")
            except (Ended, OSError):
                pass

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        try:
            self.assertEqual(client.read_answer().status, 504)
        finally:
            stop.set()
            dripping.join()

    def test_an_app_whose_address_does_not_answer_is_a_bad_gateway_after_the_connect_timeout(self):
        full = socket.socket()
        self.addCleanup(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # the queue holds one more than it was told
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            self.addCleanup(filler.close)
        self.start(app_url=f"ws://127.0.0.1:{full.getsockname()[1]}", wait="live", upstream={"connect_timeout": "400ms"})
        client = self.closing(self.proxy.client())
        begin = time.monotonic()
        client.ask()
        self.assertEqual(client.read_answer().status, 502)
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.assertLess(time.monotonic() - begin, 3)


class Silence(SystemTest):
    def test_the_proxy_pings_an_idle_client_and_a_pong_keeps_it(self):
        self.start(timeouts={"ping_interval": "200ms", "ping_timeout": "500ms"})
        client, app = self.pair()
        for _ in range(3):
            client.read_control(frames.PING)
        app.send("still there")
        self.assertEqual(client.read_message().text, "still there")
        self.assertEqual([frame for frame in app.controls if frame.opcode == frames.PING], [], "the pings are not the app's")

    def test_the_app_is_not_bothered_with_pongs_to_the_proxy_s_own_pings(self):
        self.start(EchoApp(), timeouts={"ping_interval": "200ms", "ping_timeout": "500ms"})
        client = self.echo_client()
        for _ in range(3):
            client.read_control(frames.PING)
        client.send("/pongs")
        self.assertEqual(client.read_message().text, "0")

    def test_a_client_that_answers_no_ping_is_let_go_after_ping_timeout(self):
        self.start(timeouts={"ping_interval": "100ms", "ping_timeout": "300ms", "close": "300ms"})
        client, app = self.pair()
        client.answers_pings = False
        begin = time.monotonic()
        app.read_to_end()
        self.assertGreater(time.monotonic() - begin, 0.3)
        self.assertLess(time.monotonic() - begin, 3)
        client.read_to_end()

    def test_no_pings_when_the_interval_is_0(self):
        self.start(timeouts={"ping_interval": "0s"})
        client, _ = self.pair()
        client.expect_silence(0.5)

    def test_a_connection_without_data_ends_after_timeouts_idle(self):
        self.start(timeouts={"idle": "600ms", "ping_interval": "0s", "close": "300ms"})
        client, app = self.pair()
        for speaker, listener in ((client, app), (app, client)):
            client.expect_silence(0.35)
            begin = time.monotonic()
            speaker.send("busy")
            self.assertEqual(listener.read_message().text, "busy")
        self.assertEqual(client.read_close()[0], 1001)
        self.assertGreaterEqual(time.monotonic() - begin, 0.6)
        self.assertLess(time.monotonic() - begin, 3)
        client.read_to_end()
        app.read_to_end()

    def test_pings_and_pongs_alone_do_not_keep_an_idle_connection(self):
        self.start(timeouts={"idle": "500ms", "ping_interval": "100ms", "close": "300ms"})
        begin = time.monotonic()
        client, app = self.pair()
        while (frame := self.frame_within(client, 0.05)) is None or frame.opcode != frames.CLOSE:
            self.assertLess(time.monotonic() - begin, 5, "it is still open")
            if frame is None:  # a quiet moment: everyone says something that is no data
                client.send_frame(frames.PING, b"of the client")
                client.send_frame(frames.PONG, b"unasked")
                app.send_frame(frames.PING, b"of the app")
                app.send_frame(frames.PONG, b"unasked")
            elif frame.opcode == frames.PING:
                client.send_frame(frames.PONG, frame.payload)
        self.assertEqual(frames.close_parts(frame.payload)[0], 1001)
        self.assertGreaterEqual(time.monotonic() - begin, 0.5)

    def frame_within(self, wire, seconds):
        try:
            return wire.read_frame(seconds)
        except TimeoutError:
            return None

    def test_a_client_that_never_answers_a_close_frame_is_cut_after_timeouts_close_and_not_before(self):
        self.start(timeouts={"close": "400ms"})
        client, app = self.pair()
        begin = time.monotonic()
        app.send_close(4001)
        self.assertEqual(client.read_close()[0], 4001)
        client.read_to_end()
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.assertLess(time.monotonic() - begin, 3)

    def test_an_app_that_never_answers_a_close_frame_is_cut_after_timeouts_close_and_not_before(self):
        self.start(timeouts={"close": "400ms"})
        client, app = self.pair()
        begin = time.monotonic()
        client.send_close(4001)
        app.read_close()
        app.read_to_end()
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        client.read_to_end()
        self.assertLess(time.monotonic() - begin, 3)

    def test_an_answer_to_a_close_frame_within_timeouts_close_arrives(self):
        self.start(timeouts={"close": "5s"})
        client, app = self.pair()
        app.send_close(4001)
        self.assertEqual(client.read_close()[0], 4001)
        client.expect_silence(0.5)
        client.send_close(4001)
        self.assertEqual(app.read_close()[0], 4001)


if __name__ == "__main__":
    main()
