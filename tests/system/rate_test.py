"""What one client may send: messages, bytes and control frames a second (limits.*_per_second, rate_action)."""

import json
import threading
import time

from harness import SharedProxyTest, SystemTest, frames, main
from harness.frames import BINARY, CLOSE, PING, TEXT

RATE = 100
# A second's worth and one more pass at once, the rest at the rate.
COUNT = 250
SHORTEST = (COUNT - RATE - 1) / RATE
LONGEST = SHORTEST + 1.5


class Flood:
    """Sends in the background, since whoever is slowed does not get rid of it at once."""

    def __init__(self, test, client, data):
        self._client, self._data = client, data
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()
        test.addCleanup(self._thread.join)
        test.addCleanup(client.close)

    def _send(self):
        try:
            self._client.sock.sendall(self._data)
        except OSError:
            pass  # the connection ended: that is its test's business


class Slow(SharedProxyTest):
    settings = {
        "limits": {"messages_per_second": RATE, "bytes_per_second": 1_000_000, "control_frames_per_second": RATE},
        "timeouts": {"ping_interval": "300ms", "ping_timeout": "100ms", "idle": "400ms"},
    }

    def assert_paced(self, began):
        took = time.monotonic() - began
        self.assertGreater(took, SHORTEST - 0.05)
        self.assertLess(took, LONGEST)

    def test_messages_over_the_rate_arrive_at_the_rate(self):
        client, app = self.pair()
        began = time.monotonic()
        Flood(self, client, b"".join(client.message_bytes(str(at)) for at in range(COUNT)))
        arrivals = []
        for at in range(COUNT):
            self.assertEqual(app.read_message().text, str(at))
            arrivals.append(time.monotonic() - began)
        self.assert_paced(began)
        busiest = max(sum(1 for later in arrivals if at <= later < at + 0.5) for at in arrivals if at > 0.5)
        self.assertLess(busiest, 0.5 * RATE * 1.4, "they came in one go and not at the rate")

    def test_others_are_not_slowed(self):
        client, app = self.pair()
        Flood(self, client, client.message_bytes("x") * COUNT)
        other_client, other_app = self.pair()
        for at in range(RATE // 2):
            began = time.monotonic()
            other_client.send(str(at))
            self.assertEqual(other_app.read_message().text, str(at))
            self.assertLess(time.monotonic() - began, 0.5)

    def test_the_app_is_not_slowed(self):
        client, app = self.pair()
        Flood(self, client, client.message_bytes("x") * COUNT)
        began = time.monotonic()
        app.send_bytes(app.message_bytes("from the app") * 1000)
        for _ in range(1000):
            client.read_message()
        self.assertLess(time.monotonic() - began, SHORTEST)

    def test_one_huge_message_is_slowed(self):
        client, app = self.pair()
        payload = bytes(range(250)) * 10_000
        began = time.monotonic()
        Flood(self, client, client.message_bytes(payload))
        self.assertEqual(app.read_message().data, payload)
        self.assert_paced(began)

    def test_what_counts_is_what_comes_out_of_compressed_messages(self):
        client, app = self.deflated_pair()
        began = time.monotonic()
        data = client.message_bytes(bytes(2_500_000))
        self.assertLess(len(data), 10_000)
        client.send_bytes(data)
        self.assertEqual(app.read_message().data, bytes(2_500_000))
        self.assert_paced(began)

    def test_a_flood_of_pings_is_slowed(self):
        client, app = self.pair()
        began = time.monotonic()
        Flood(self, client, client.frame_bytes(PING, b"p" * 125) * COUNT)
        for _ in range(COUNT):
            self.assertEqual(app.read_frame().opcode, PING)
        self.assert_paced(began)

    def test_a_message_in_tiny_fragments_is_slowed(self):
        client, app = self.pair()
        began = time.monotonic()
        Flood(self, client, client.frame_bytes(TEXT, b"x", fin=False) +
              client.frame_bytes(frames.CONTINUATION, b"", fin=False) * (COUNT - 2) +
              client.frame_bytes(frames.CONTINUATION, b"", fin=True))
        app.read_message()
        self.assert_paced(began)

    def test_a_close_of_the_app_gets_through_to_a_client_that_is_held_back(self):
        client, app = self.pair()
        Flood(self, client, client.message_bytes("x") * COUNT + client.frame_bytes(CLOSE, b"\x03\xe8"))
        began = time.monotonic()
        app.read_message()
        app.send_close(1000, "enough")
        self.assertEqual(client.read_close(), (1000, "enough"))
        app.read_close()
        self.assertLess(time.monotonic() - began, SHORTEST)

    def test_slowing_down_is_logged_once(self):
        client, app = self.pair()
        Flood(self, client, client.message_bytes("x") * (RATE + 20))
        for _ in range(RATE + 20):
            app.read_message()
        me = "%s:%d" % client.sock.getsockname()[:2]  # a line about a client before this one may come late
        lines = [json.loads(line) for line in self.proxy.lines[self.first_line :] if '"rate limit"' in line and me in line]
        self.assertEqual([(line["limit"], line["action"]) for line in lines], [("limits.messages_per_second", "slow")])
        self.assertEqual(self.proxy.metrics().sum("wsproxy_rejected_total", reason="rate"), 0)


class Default(SharedProxyTest):
    def test_nothing_but_control_frames_has_a_rate(self):
        client, app = self.pair()
        began = time.monotonic()
        Flood(self, client, client.message_bytes(b"x" * 1000) * 5000)
        for _ in range(5000):
            app.read_message()
        Flood(self, client, client.frame_bytes(PING, b"p") * COUNT)
        began = time.monotonic()
        for _ in range(COUNT):
            app.read_control(PING)
        self.assertGreater(time.monotonic() - began, SHORTEST - 0.05)


class Drained(SystemTest):
    def test_a_client_that_is_held_back_is_drained_like_any_other(self):
        self.start(limits={"messages_per_second": RATE})
        client, app = self.pair()
        Flood(self, client, client.message_bytes("x") * 1000)
        app.read_message()
        began = time.monotonic()
        self.proxy.terminate()
        self.assertEqual(client.read_close()[0], 1001)
        client.send_close(1001)
        for _ in range(999):
            app.read_message()
        self.assertEqual(app.read_close()[0], 1001)
        app.send_close(1001)
        app.close()
        client.read_to_end()
        client.close()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.assertLess(time.monotonic() - began, 3)


class Closed(SharedProxyTest):
    settings = {
        "limits": {"messages_per_second": 5, "bytes_per_second": 10_000, "control_frames_per_second": 5,
                   "rate_action": "close"}
    }

    def assert_closed(self, limit, path, data):
        before = self.proxy.metrics().sum("wsproxy_rejected_total", reason="rate")
        client, app = self.pair(path)
        first = len(self.proxy.lines)
        client.send_bytes(data(client))
        self.assertEqual(client.read_close(), (1008, "rate limit"))
        frames_of_app = []
        while (frame := app.read_frame()).opcode != CLOSE:
            frames_of_app.append(frame)
        self.assertEqual(frames.close_parts(frame.payload), (1008, "rate limit"))
        app.send_close(1008)
        app.close()
        client.answer_close(1008)
        self.assertEqual(self.proxy.metrics().sum("wsproxy_rejected_total", reason="rate"), before + 1)
        entry = self.proxy.access_line(path)
        self.assertEqual((entry["closed_by"], entry["close_code"], entry["cause"]), ("proxy", 1008, "rate limit"))
        told = [json.loads(line) for line in self.proxy.lines[first:] if '"message":"rate limit"' in line]
        self.assertEqual([(line["limit"], line["action"], line["level"]) for line in told], [(limit, "close", "info")])
        return frames_of_app

    def test_one_message_more_than_the_rate_is_1008(self):
        passed = self.assert_closed("limits.messages_per_second", "/messages", lambda c: c.message_bytes("x") * 50)
        self.assertEqual(len(passed), 6)

    def test_one_ping_more_than_the_rate_is_1008(self):
        passed = self.assert_closed("limits.control_frames_per_second", "/pings", lambda c: c.frame_bytes(PING) * 50)
        self.assertEqual(len(passed), 6)

    def test_more_bytes_than_the_rate_are_1008_and_an_app_inside_the_frame_is_cut(self):
        client, app = self.pair()
        client.send_bytes(client.message_bytes(b"x" * 9_000) + client.message_bytes(b"y" * 2_000))
        self.assertEqual(client.read_close(), (1008, "rate limit"))
        self.assertEqual(app.read_message().data, b"x" * 9_000)
        app.expect_end_without_close()
        self.proxy.wait_for_line('"message":"rate limit","limit":"limits.bytes_per_second","action":"close"')

    def test_what_is_within_the_rate_passes(self):
        client, app = self.pair()
        client.send_bytes(client.message_bytes("x") * 5 + client.frame_bytes(PING) * 5 +
                          client.frame_bytes(CLOSE, b"\x03\xe8"))
        seen = [app.read_frame().opcode for _ in range(11)]
        self.assertEqual(seen, [TEXT] * 5 + [PING] * 5 + [CLOSE])
        app.send_close(1000)
        app.close()
        self.assertEqual(client.read_close()[0], 1000)

    def test_others_go_on(self):
        client, app = self.pair()
        other_client, other_app = self.pair()
        client.send_bytes(client.message_bytes("x") * 50)
        self.assertEqual(client.read_close()[0], 1008)
        other_client.send(b"me")
        got = other_app.read_message()
        self.assertEqual((got.opcode, got.data), (BINARY, b"me"))


if __name__ == "__main__":
    main()
