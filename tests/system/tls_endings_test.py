"""How messages and connections over TLS are cut, ended and held up, by the client and by the app."""

import os
import socket
import ssl
import struct
import threading

from harness import DEADLINE, SANITIZED, Ended, ManualApp, SystemTest, main, wait_until
from harness.frames import BINARY
from harness.tls import SharedTlsTest, in_background


class Messages(SharedTlsTest):
    app_kind = ManualApp
    settings = {"timeouts": {"close": "500ms"}}

    def tearDown(self):
        self.assert_all_is_well()
        super().tearDown()

    def half(self, client, wanted=1000):
        """The beginning of a message and nothing else: a frame that says more than comes."""
        data = client.frame_bytes(BINARY, os.urandom(wanted))
        client.send_bytes(data[: wanted // 2])

    def ends(self, leave, path, client=None):
        """What the app sees after `leave`: (its close code or None, the access line)."""
        client, app = self.pair(path, client=client or self.tls_client())
        client.send("whole")
        self.assertEqual(app.read_message().text, "whole")
        self.half(client)
        leave(client)
        try:
            code = app.read_close()[0]
        except Ended:
            code = None
        app.close()
        return code, self.proxy.access_line(path)

    def test_a_client_that_goes_in_mid_message_goes_for_the_app_as_without_tls(self):
        code, line = self.ends(lambda client: client.sock.close(), "/cut")
        self.assertEqual((line["closed_by"], line["close_code"]), ("client", 1006))
        self.assertIn("close_notify", line["cause"])
        reset_code, line = self.ends(lambda client: client.reset(), "/reset")
        self.assertEqual((line["closed_by"], line["close_code"], line["cause"]), ("client", 1006, "connection reset"))
        secure, plain = self.proxy, SystemTest.start(self, ManualApp(), timeouts={"close": "500ms"})
        self.app, here = self.app, self.app
        try:
            self.assertEqual(self.ends(lambda client: client.close(), "/cut", plain.client())[0], code)
            self.assertEqual(self.ends(lambda client: client.reset(), "/reset", plain.client())[0], reset_code)
        finally:
            self.proxy, self.app = secure, type(self).app
            here.stop()

    def test_an_app_that_dies_in_mid_message_is_1011_for_the_client(self):
        for leave in ("reset", "close"):
            client, app = self.pair(f"/dies-by-{leave}", client=self.tls_client())
            app.send_bytes(app.frame_bytes(BINARY, bytes(1000))[:300])
            getattr(app, leave)()
            self.assertEqual(client.read_close()[0], 1011)
            client.send_close(1011)
            self.assertEqual(self.proxy.access_line(f"/dies-by-{leave}")["closed_by"], "app")

    def test_close_notify_is_an_end_as_without_tls_and_is_answered(self):
        client, app = self.pair("/said-whole", client=self.tls_client())
        client.send("the last")
        client.send_close(1000)
        self.say_close_notify(client)
        self.assertEqual(app.read_message().text, "the last")
        self.assertEqual(app.read_close(), (1000, ""))
        app.close()
        with self.assertRaises((Ended, ssl.SSLZeroReturnError)) as ended:
            client.read_close()
        self.assertNotIn("cut", str(ended.exception))
        line = self.proxy.access_line("/said-whole")
        self.assertEqual((line["closed_by"], line["close_code"]), ("client", 1000))

    def test_close_notify_in_mid_message_is_the_client_s_end(self):
        client, app = self.pair("/said", client=self.tls_client())
        self.half(client)
        self.say_close_notify(client)
        try:
            self.assertNotIn(app.read_close()[0], (1000, None))
        except Ended:
            pass
        app.close()
        self.assertEqual(self.proxy.access_line("/said")["closed_by"], "client")

    def say_close_notify(self, client):
        client.sock.settimeout(0)
        with self.assertRaises(ssl.SSLWantReadError):
            client.sock.unwrap()
        client.sock.settimeout(DEADLINE)

    def test_rubbish_in_the_middle_of_the_records_ends_the_connection(self):
        client, app = self.pair("/rubbish", client=self.tls_client())
        plain = socket.socket(fileno=os.dup(client.sock.fileno()))
        self.addCleanup(plain.close)
        plain.sendall(b"\x17\x03\x03\x00\x64" + os.urandom(100))
        with self.assertRaises((ssl.SSLError, Ended)):  # the alert bad_record_mac
            client.receive_some()
        try:
            self.assertNotIn(app.read_close()[0], (1000, None))
        except Ended:
            pass
        app.close()
        self.assertEqual(self.proxy.access_line("/rubbish")["closed_by"], "client")

    def test_a_reader_that_pauses_loses_nothing(self):
        for to_client in (True, False):
            with self.subTest(to_client=to_client):
                client, app = self.pair(client=self.tls_client())
                writer, reader = (app, client) if to_client else (client, app)
                count, filler, done = 400, os.urandom(60_000), []

                def write():
                    for at in range(count):
                        writer.send(struct.pack("!I", at) + filler[at:])
                        done.append(at)

                thread = in_background(write)
                before = self.proxy.memory()
                wait_until(lambda: self.pauses(done), "the writer to be stopped")
                self.assertLess(len(done), count)
                if not SANITIZED:
                    self.assertLess(self.proxy.memory() - before, 16 << 20)
                for at in range(count):
                    self.assertTrue(reader.read_message().data == struct.pack("!I", at) + filler[at:], at)
                thread.join(DEADLINE)
                self.assertEqual(len(done), count)

    def pauses(self, done):
        """Whether nothing more was written for a while."""
        before = len(done)
        threading.Event().wait(0.1)
        return before > 0 and len(done) == before


if __name__ == "__main__":
    main()
