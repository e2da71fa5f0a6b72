"""compression.mode: observe, and `wsproxy tune`: what they foretell is held against what compression then does."""

import json
import random

from harness import SystemTest, main, wait_until
from harness.proxy import run_command

OFFER = "permessage-deflate; client_max_window_bits"
WORDS = "price order status update item customer balance paid open shipped later today never thanks".split()
TRIALS = 9


def sentence(dice, count):
    return " ".join(dice.choices(WORDS, k=count))


def chat(dice):
    return json.dumps({"type": "message", "room": f"room-{dice.randrange(5)}", "user": f"user-{dice.randrange(60)}",
                       "id": dice.randrange(10**9), "text": sentence(dice, 14)})


def document(dice):
    return json.dumps([{"id": dice.randrange(10**6), "name": sentence(dice, 3), "amount": dice.random()} for _ in range(150)])


def noise(dice):
    return dice.randbytes(700)


# By kind: what is sent, how many messages, and whether to all connections.
KINDS = {"chat": (chat, 3000, False), "feed": (chat, 1200, True), "documents": (document, 250, False), "noise": (noise, 1500, False)}
CONNECTIONS = 4


class Traffic(SystemTest):
    def play(self, kind, **settings):
        """One kind of traffic from the app to its clients; returns the metrics after it."""
        make, count, to_all = KINDS[kind]
        self.start(compression=settings, workers=1)
        pairs = [self.pair(extensions=OFFER) for _ in range(CONNECTIONS)]
        agreed = [client.agreed is not None for client, _ in pairs]
        self.assertEqual(set(agreed), {settings.get("mode") != "observe"})
        dice = random.Random(kind)
        for at in range(count):
            message = make(dice)
            for client, app in pairs if to_all else [pairs[at % CONNECTIONS]]:
                app.send(message)
                got = client.read_message()
                self.assertEqual(got.data, message if isinstance(message, bytes) else message.encode())
                if settings.get("mode") == "observe":
                    self.assertFalse(got.compressed)
        return self.proxy.metrics()


def foretold(metrics, trial):
    return (metrics.sum("wsproxy_observed_output_bytes_total", trial=trial)
            / metrics.sum("wsproxy_observed_input_bytes_total", trial=trial))


def sent(metrics):
    """Payload on the wire a byte of payload, messages that went raw included."""
    payload = metrics.sum("wsproxy_payload_bytes_total", direction="to_client")
    saved = (metrics.sum("wsproxy_compression_input_bytes_total") - metrics.sum("wsproxy_compression_output_bytes_total"))
    return (payload - saved) / payload


class Truth(Traffic):
    def foretell(self, kind):
        before = self.play(kind, mode="observe", observe_every=2)
        after = self.play(kind)
        told, true = foretold(before, "level6_32k"), sent(after)
        seconds = before.sum("wsproxy_observed_compression_seconds_total", trial="level6_32k")
        alone = before.sum("wsproxy_observed_seen_messages_total") - before.sum("wsproxy_observed_broadcast_total")
        would = seconds / before.sum("wsproxy_observed_messages_total", trial="level6_32k") * alone
        took = after.sum("wsproxy_compression_seconds_total", operation="compress")
        print(f"{kind}: foretold {told:.3f}, true {true:.3f}, error {told / true - 1:+.1%}; "
              f"CPU foretold {would * 1000:.1f} ms, true {took * 1000:.1f} ms")
        self.assertAlmostEqual(told / true, 1, delta=0.15)
        return before

    def test_chat(self):
        self.foretell("chat")

    def test_documents(self):
        self.foretell("documents")

    def test_noise(self):
        before = self.foretell("noise")
        self.assertGreater(before.sum("wsproxy_observed_bypassed_total"), 0)

    def test_a_feed(self):
        before = self.foretell("feed")
        share = before.sum("wsproxy_observed_broadcast_total") / before.sum("wsproxy_observed_seen_messages_total")
        self.assertAlmostEqual(share, (CONNECTIONS - 1) / CONNECTIONS, delta=0.02)


class Observing(Traffic):
    def test_every_figure_moves_and_nothing_is_compressed(self):
        metrics = self.play("chat", mode="observe", observe_every=2)
        trials = {labels["trial"] for name, labels, value in metrics.samples if name == "wsproxy_observed_messages_total" and value > 0}
        self.assertEqual(len(trials), TRIALS)
        self.assertEqual(metrics.sum("wsproxy_observed_seen_messages_total"), KINDS["chat"][1])
        self.assertEqual(metrics.sum("wsproxy_compression_input_bytes_total"), 0)
        self.assertEqual(metrics.sum("wsproxy_handshakes_total", extension="accepted"), 0)
        self.assertEqual(metrics.sum("wsproxy_handshakes_total", extension="declined"), CONNECTIONS)

    def test_one_route_observes_while_the_others_compress(self):
        self.start(routes=[{"match": {"path": "/look"}, "compression": {"mode": "observe", "observe_every": 1}}])
        looked_at, app = self.pair("/look", extensions=OFFER)
        self.assertIsNone(looked_at.agreed)
        compressed, other = self.pair("/", extensions=OFFER)
        self.assertIsNotNone(compressed.agreed)
        dice = random.Random(1)
        for _ in range(20):
            message = chat(dice)
            for client, side in ((looked_at, app), (compressed, other)):
                side.send(message)
                self.assertEqual(client.read_message().compressed, client is compressed)
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.sum("wsproxy_observed_seen_messages_total"), 20)
        self.assertEqual(metrics.sum("wsproxy_observed_messages_total"), 20)

    def test_memory_is_given_back(self):
        self.start(compression={"mode": "observe", "observe_every": 1})
        client, app = self.pair()
        app.send(chat(random.Random(1)))
        client.read_message()
        self.proxy.wait_metric("wsproxy_compression_memory_bytes", 65536)
        client.send_close(1000)
        client.close()
        app.close()
        wait_until(lambda: self.proxy.metrics().sum("wsproxy_compression_memory_bytes") == 0, "no memory held")


class Tune(Traffic):
    def tune(self, *args):
        return run_command("tune", f"http://127.0.0.1:{self.proxy.admin_port}", "--seconds", "0", *args)

    def test_what_it_recommends_brings_what_it_promises(self):
        self.play("chat", mode="observe", observe_every=1)
        done = self.tune()
        self.assertEqual(done.returncode, 0, done.stderr)
        print(done.stdout)
        advice = json.loads(self.tune("--json").stdout)
        self.assertTrue(advice["enough_traffic"])
        settings = {one["key"].removeprefix("compression."): one["value"] for one in advice["settings"]}
        self.assertEqual(settings["mode"], "compress")
        settings = {key: int(value) if value.isdigit() else value for key, value in settings.items()}
        after = self.play("chat", **settings)
        promised = advice["expected"]["saved_share"]
        print(f"promised {promised:.3f}, saved {1 - sent(after):.3f}")
        self.assertAlmostEqual((1 - sent(after)) / promised, 1, delta=0.1)

    def test_noise_is_not_worth_it(self):
        self.play("noise", mode="observe", observe_every=1)
        self.assertIn("enabled: false", self.tune().stdout)

    def test_a_proxy_that_compresses_needs_nothing(self):
        self.play("chat")
        self.assertIn("nothing to change", self.tune().stdout)

    def test_without_traffic_it_says_so(self):
        self.start()
        done = self.tune()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("not enough traffic", done.stdout)

    def test_a_proxy_with_secrets_can_be_tuned(self):
        self.start(sentry={"dsn": "http://key@127.0.0.1:1/1", "crash_directory": ""})
        done = self.tune()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_nobody_there_and_wrong_usage(self):
        self.start()
        self.assertEqual(run_command("tune", "http://127.0.0.1:1", "--seconds", "0").returncode, 1)
        self.assertEqual(run_command("tune", "--seconds", "x").returncode, 2)
        self.assertEqual(run_command("tune", "--nothing").returncode, 2)


if __name__ == "__main__":
    main()
