"""Connections that share histories: whatever the app sends to whom, in whatever order, each client inflates exactly that."""

import random

from harness import SystemTest, main

WORDS = "price order status update item customer balance paid open shipped".split()
OFFERS = (
    None,
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits=9",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=8",
    "permessage-deflate; server_max_window_bits=9; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=12",
)
COUNT, STEPS = 18, 150
LARGE = 70_000  # more than is compressed whole


class Crowd:
    """Connections through the proxy, and what each of them still has to get."""

    def __init__(self, test, seed):
        self.test, self.dice = test, random.Random(seed)
        self.pairs, self.sent = [], []
        while len(self.pairs) < COUNT:
            self.join()

    def join(self):
        pair = self.test.pair(extensions=self.dice.choice(OFFERS))
        self.pairs.append((pair, [], []))

    def leave(self):
        """Somebody goes: in order, or in the middle of a message that is compressed as it comes."""
        (client, app), due, _ = self.pairs.pop(self.dice.randrange(len(self.pairs)))
        if self.dice.random() < 0.5:
            app.send_bytes(app.message_bytes(self.text(LARGE))[:-1])
            client.reset()
        else:
            self.read(client, due)
            client.send_close(1000)
        client.close()
        app.close()

    def corrupt(self):
        """Somebody sends what is no deflate stream, and is closed for it."""
        at = next((at for at, ((client, _), due, _) in enumerate(self.pairs) if client.agreed and not due), None)
        if at is None:
            return
        (client, app), _, _ = self.pairs.pop(at)
        client.send_frame(2, bytes([7]) + self.dice.randbytes(20), rsv=4)
        self.test.assertIn(client.read_close()[0], (1002, 1007))
        client.close()
        app.close()

    def text(self, size=None):
        size = size or self.dice.choice((1, 20, 200, 200, 300, 900, 5000))
        words = []
        while size > 0:
            words.append(f"{self.dice.choice(WORDS)} {self.dice.randrange(1000)}")
            size -= len(words[-1]) + 1
        return " ".join(words)

    def message(self):
        kind = self.dice.random()
        if kind < 0.1 and self.sent:
            return self.dice.choice(self.sent[-30:])
        if kind < 0.2:
            return self.dice.randbytes(self.dice.choice((40, 400, 3000)))
        return self.text()

    def send(self, receivers, message):
        self.sent.append(message)
        for (_, app), due, _ in receivers:
            app.send(message)
            due.append(message)

    def say(self, pair):
        """A client's turn to talk."""
        (client, _), _, said = pair
        said.append(self.message())
        client.send(said[-1])

    def read(self, wire, due):
        for expected in due:
            message = wire.read_message()
            self.test.assertEqual(message.text if isinstance(expected, str) else message.data, expected)
        due.clear()

    def read_some(self, share):
        for (client, app), due, said in self.pairs:
            if self.dice.random() < share:
                self.read(client, due)
                self.read(app, said)

    def step(self):
        kind = self.dice.random()
        if kind < 0.7:
            self.send([pair for pair in self.pairs if self.dice.random() < 0.95], self.message())
        elif kind < 0.85:
            self.send([self.dice.choice(self.pairs)], self.message())
        elif kind < 0.9:
            self.say(self.dice.choice(self.pairs))
        elif kind < 0.92:
            self.send([self.dice.choice(self.pairs)], self.text(LARGE))
        elif kind < 0.96:
            self.leave()
            self.join()
        else:
            self.corrupt()
            self.join()
        self.read_some(0.5)


class Sharing(SystemTest):
    def talk(self, seed, **compression):
        self.start(compression=compression, workers=1)
        crowd = Crowd(self, seed)
        for _ in range(STEPS):
            crowd.step()
        crowd.read_some(1)
        self.assertGreater(self.proxy.metrics().sum("wsproxy_compression_shared_total"), STEPS)

    def test_as_configured_by_default(self):
        self.talk(1)

    def test_zlib_alone_in_little_memory(self):
        self.talk(2, engine="zlib", memory="1MiB", history="32KiB")

    def test_at_the_lowest_level_whatever_does_not_shrink(self):
        self.talk(3, level=1, adaptive=False, history="256B", min_size=0)


if __name__ == "__main__":
    main()
