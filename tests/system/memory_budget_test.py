"""compression.memory from outside: what all connections remember stays within it, and what had to go for that is counted."""

import random

from harness import SANITIZED, SystemTest, main, wait_until
from harness.deflate import FastInflater

OFFER = "permessage-deflate; client_max_window_bits"
WORDS = "price order status update item customer balance".split()
BUDGET, COUNT, MESSAGES, SIZE = 4 << 20, 300, 32, 1024
# What is not optional: a connection itself, and what its client may still refer to (a window of 12 bits); and what the
# heap and the buffers of a worker take besides.
CONNECTION, RECEIVED, OTHERWISE = 3 * 1024, 4 * 1024, 1 << 20


def text_of(dice):
    """Text as it is, and no other connection's."""
    return " ".join(f"{dice.choice(WORDS)} {dice.randrange(10 ** 6)}" for _ in range(SIZE // 12))[:SIZE].ljust(SIZE, ".")


class Budget(SystemTest):
    def open(self):
        client = self.echo_client(extensions=OFFER)
        client.inflater = FastInflater(client.agreed.server_bits, client.agreed.server_takeover)
        return client

    def sacrificed(self, stage):
        return self.proxy.metrics().sum("wsproxy_compression_sacrifices_total", stage=stage)

    def say(self, clients, dice):
        said = [text_of(dice) for _ in clients]
        for client, text in zip(clients, said):
            client.send(text)
        for client, text in zip(clients, said):
            self.assertEqual(client.read_message().text, text)

    def test_memory_stays_within_the_budget_and_what_must_be_kept(self):
        self.start_echo(compression={"memory": BUDGET, "history": "32KiB"}, workers=1)
        self.open().finish()
        before = self.proxy.memory()
        clients = [self.open() for _ in range(COUNT)]
        dice = random.Random(7)
        for _ in range(MESSAGES):
            self.say(clients, dice)
            self.assertLessEqual(self.proxy.metrics().sum("wsproxy_compression_memory_bytes"), BUDGET + COUNT * RECEIVED)
        if not SANITIZED:
            grown = self.proxy.memory("VmHWM") - before
            self.assertLessEqual(grown, BUDGET + COUNT * (CONNECTION + RECEIVED) + OTHERWISE)
        for stage in ("encoders_freed", "histories_shrunk", "histories_dropped"):
            self.assertGreater(self.sacrificed(stage), 0, stage)
        self.say([self.open()], dice)
        self.assertEqual(self.sacrificed("takeover_refused"), 1)
        wait_until(lambda: self.sacrificed("histories_asleep") > 0, "histories that nobody uses to be put to sleep")


if __name__ == "__main__":
    main()
