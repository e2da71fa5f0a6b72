"""What a connection costs: fails when it grows by a kilobyte. Measured from outside, in pages that only the proxy has."""

import random

from harness import SystemTest, main, wait_until
from harness.deflate import FastInflater

OFFER = "permessage-deflate; client_max_window_bits"
WORDS = "hello to everybody who is here today and thanks for the fish but where did that train go again".split()
COUNT, MESSAGES = 500, 50
# Bytes a connection. Measured: 2.8 KB, 7 KB and 2.3 KB, of which the last does not depend on how the heap has been cut up.
IDLE, SPOKEN, REMEMBERED = 3200, 8 * 1024, 2700


def chat(dice):
    """Some 240 bytes."""
    return (f'{{"type":"message","room":"lobby","user":"user-{dice.randrange(10 ** 4)}","text":"'
            f'{" ".join(dice.choices(WORDS, k=24))}","time":"2026-11-22T12:00:{dice.randrange(10 ** 6)}","id":{dice.randrange(10 ** 6)}}}')


class Memory(SystemTest):
    def open(self):
        client = self.echo_client(extensions=OFFER)
        client.inflater = FastInflater()
        return client

    def talk(self, clients):
        dice = random.Random(5)
        for _ in range(MESSAGES):
            said = [chat(dice) for _ in clients]
            for client, text in zip(clients, said):
                client.send(text)
            for client, text in zip(clients, said):
                self.assertEqual(client.read_message().text, text)

    def each(self, before):
        return (self.proxy.own_memory() - before) / COUNT

    def remembered(self):
        return self.proxy.metrics().sum("wsproxy_compression_memory_bytes") / COUNT

    def test_what_a_connection_costs_before_the_first_message_and_between_two(self):
        self.skip_when_sanitized()
        self.start_echo(workers=1)
        self.open().finish()
        before = self.proxy.own_memory()
        clients = [self.open() for _ in range(COUNT)]
        self.assertLessEqual(self.each(before), IDLE, "before the first message")
        self.talk(clients)
        # Histories are put to sleep when they have not been used for some seconds.
        wait_until(lambda: self.remembered() <= REMEMBERED, f"{REMEMBERED} bytes of history a connection", 30)
        wait_until(lambda: self.each(before) <= SPOKEN, f"{SPOKEN} bytes a connection that has been used", 30)


if __name__ == "__main__":
    main()
