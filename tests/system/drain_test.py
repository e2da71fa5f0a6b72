"""SIGTERM and SIGINT: readiness off, 1001 to everyone, nobody new, exit 0, and at once when told twice (DESIGN sections 7 and 8)."""

import signal
import threading
import time

from harness import Client, EchoApp, Ended, SystemTest, main, refuses_connections, wait_until

# A client that does not answer keeps the proxy draining, so that a test can look at it.
PATIENT = {"timeouts": {"close": "60s"}, "drain": {"spread": "0s", "timeout": "60s"}}


class Terminated(SystemTest):
    def test_every_client_gets_1001_the_app_s_sides_end_and_the_exit_code_is_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                self.start()
                pairs = [self.deflated_pair() if at % 2 else self.pair() for at in range(20)]
                self.proxy.signal(number)
                for client, app in pairs:
                    self.assertEqual(client.read_close()[0], 1001)
                    client.send_close(1001)
                    self.assertIn(self.end_at(app), (1001, 1006))
                    client.read_to_end()
                    client.close()
                self.assertEqual(self.proxy.wait_exit(), 0)

    def end_at(self, app):
        try:
            code, _ = app.read_close()
            app.send_close(code)
        except Ended:
            code = 1006
        app.close()
        return code

    def test_without_connections_it_ends_at_once(self):
        self.start(drain={"spread": "5s"})
        begin = time.monotonic()
        self.proxy.terminate()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertLess(time.monotonic() - begin, 2)

    def test_who_has_connected_already_is_answered(self):
        app = EchoApp()
        self.start(app)
        self.proxy.signal(signal.SIGSTOP)  # so that connections wait to be accepted when the drain begins
        clients = [Client(("127.0.0.1", self.proxy.port)) for _ in range(20)]
        for at, client in enumerate(clients):
            if at % 2:
                client.ask(f"/{at}")
        self.proxy.terminate()
        self.proxy.signal(signal.SIGCONT)
        self.proxy.wait_for_line('"message":"draining"')
        for at, client in enumerate(clients):
            if at % 2 == 0:
                client.ask(f"/{at}")
            self.assertIn(client.read_answer().status, (101, 503), "neither served nor told to go")
        for client in clients:
            client.close()
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_the_close_code_is_the_operator_s(self):
        self.start(drain={"close_code": 1012})
        client, _ = self.pair()
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1012)

    def test_close_frames_are_spread_over_drain_spread(self):
        self.start_echo(drain={"spread": "1s"})
        clients = [self.echo_client() for _ in range(30)]
        begin = time.monotonic()
        self.proxy.terminate()
        times = []
        waiting = list(clients)
        while waiting:
            for client in list(waiting):
                try:
                    self.assertEqual(client.read_close(deadline=0.002)[0], 1001)
                except TimeoutError:
                    continue
                times.append(time.monotonic() - begin)
                client.send_close(1001)
                client.close()
                waiting.remove(client)
            self.assertLess(time.monotonic() - begin, 8)
        self.assertGreater(times[-1] - times[0], 0.4, "they all came at once")
        self.assertLess(times[-1], 3)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_a_message_on_its_way_arrives_before_the_close_frame(self):
        self.start()
        client, app = self.deflated_pair()
        app.send("said before the end, and long enough to be compressed")
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_messages_total", direction="to_client") >= 1, "the message")
        self.proxy.terminate()
        self.assertEqual(client.read_message().text, "said before the end, and long enough to be compressed")
        self.assertEqual(client.read_close()[0], 1001)


class WhileDraining(SystemTest):
    def draining(self, **settings):
        self.start(**{**PATIENT, **settings})
        client, app = self.pair()
        client.answers_pings = False
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1001)
        return client, app

    def test_readiness_is_off_and_liveness_on_and_the_metric_says_so(self):
        self.draining()
        status, reason = self.proxy.get("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("drain", reason.lower())
        self.assertEqual(self.proxy.get("/livez")[0], 200)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_draining"), 1)

    def test_nobody_new_is_let_in(self):
        self.draining()
        if refuses_connections(self.proxy.port):
            return
        late = self.closing(self.proxy.client())
        try:
            late.ask()
            self.assertEqual(late.read_answer().status, 503)
        except Ended:
            pass
        self.assertTrue(self.app.nobody_came())

    def test_a_second_signal_ends_it_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)):
            with self.subTest(f"{first.name}, {second.name}"):
                self.start(**PATIENT)
                client, _ = self.pair()
                self.proxy.signal(first)
                self.assertEqual(client.read_close()[0], 1001)
                begin = time.monotonic()
                self.proxy.signal(second)
                code = self.proxy.wait_exit()
                self.assertLess(time.monotonic() - begin, 2)
                self.assertNotEqual(code, -signal.SIGSEGV)
                self.assertNotEqual(code, -signal.SIGABRT)
                self.proxy.exit_code_matters = False  # at once is what was promised, not how

    def test_what_is_left_at_drain_timeout_is_cut(self):
        self.start(timeouts={"close": "60s"}, drain={"timeout": "500ms"})
        client, app = self.pair()
        begin = time.monotonic()
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1001)
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertGreater(time.monotonic() - begin, 0.4)
        self.assertLess(time.monotonic() - begin, 4)
        client.read_to_end()
        app.read_to_end()

    def test_during_drain_delay_it_is_not_ready_but_still_accepts(self):
        self.start_echo(drain={"delay": "1500ms", "spread": "0s"})
        first = self.echo_client()
        self.proxy.terminate()
        wait_until(lambda: self.proxy.get("/readyz")[0] == 503, "readiness to be off")
        late = self.echo_client()
        late.send("just in time")
        self.assertEqual(late.read_message().text, "just in time")
        for client in (first, late):
            self.assertEqual(client.read_close()[0], 1001)
            client.answer_close(1001)
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_a_handshake_that_waits_for_the_app_does_not_hold_the_end_up(self):
        self.start(drain={"timeout": "20s", "spread": "100ms"})
        client = self.closing(self.proxy.client())
        client.ask()
        self.closing(self.app.next())
        begin = time.monotonic()
        self.proxy.terminate()
        self.assertEqual(client.read_answer().status, 503)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_rejected_total", reason="draining"), 1)
        client.close()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertLess(time.monotonic() - begin, 8)

    def test_nor_does_a_request_that_is_half_sent(self):
        self.start(drain={"timeout": "20s", "spread": "100ms"}, timeouts={"handshake": "15s"})
        client = self.closing(self.proxy.client())
        client.send_bytes(b"GET /half HTTP/1.1\r\nHost: a\r\n")
        self.proxy.wait_metric("wsproxy_connections_active", 1)
        begin = time.monotonic()
        self.proxy.terminate()
        client.read_to_end()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertLess(time.monotonic() - begin, 8)

    def test_an_app_that_keeps_talking_does_not_hold_the_end_up(self):
        self.start(drain={"timeout": "3s"}, timeouts={"close": "500ms"})
        client, app = self.pair()
        talking = threading.Thread(target=self.talk_on, args=(app,), daemon=True)
        talking.start()
        client.read_message()
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1001)
        client.answer_close(1001)
        self.assertEqual(self.proxy.wait_exit(), 0)
        talking.join()

    def talk_on(self, app):
        message = app.message_bytes("talk " * 2000)
        try:
            while True:
                app.send_bytes(message)
        except (Ended, OSError):
            pass


if __name__ == "__main__":
    main()
