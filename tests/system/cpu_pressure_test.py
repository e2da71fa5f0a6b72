"""Under more work than a worker's CPU can do the compression level falls, and rises again afterwards."""

import random
import threading

from harness import DEADLINE, Ended, SystemTest, main, wait_until

CONNECTIONS = 2
WORDS = "price volume symbol order bid ask depth update ticker sequence exchange trade open close high low".split()


def documents():
    """Text for which level 9 has to search."""
    dice = random.Random(5)
    return [" ".join(f"{dice.choice(WORDS)} {dice.randrange(10 ** 5)}" for _ in range(4000)) for _ in range(4)]


class Feed:
    """One connection on which the app sends as fast as the proxy takes it, and the client reads all of it."""

    def __init__(self, client, side, frames):
        self._ends = threading.Event()
        self._client, self._side, self._frames = client, side, frames
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._send, self._read)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        try:
            while not self._ends.is_set():
                for frame in self._frames:
                    self._side.send_bytes(frame)
        except (Ended, OSError):
            pass

    def _read(self):
        try:
            while True:
                self._client.receive_some(10 * DEADLINE)
                self._client.buffer.clear()
        except (Ended, OSError):
            pass

    def stop(self):
        self._ends.set()
        self._threads[0].join(DEADLINE)


class CpuPressure(SystemTest):
    def level(self):
        return self.proxy.metrics().sum("wsproxy_compression_level")

    def test_the_level_falls_while_the_cpu_is_short_and_comes_back(self):
        self.start(compression={"engine": "zlib", "level": 9}, workers=1)
        self.assertEqual(self.level(), 9)
        feeds = []
        for _ in range(CONNECTIONS):
            client, side = self.deflated_pair()
            feeds.append(Feed(client, side, [side.message_bytes(text) for text in documents()]))
        wait_until(lambda: self.level() < 9, "a lower level", 3 * DEADLINE)
        for feed in feeds:
            feed.stop()
        wait_until(lambda: self.level() == 9, "the level of the configuration", 6 * DEADLINE)
        self.proxy.wait_for_line("the CPU is short: compression level lowered")
        self.proxy.wait_for_line('compression level raised again.*"level":9')


if __name__ == "__main__":
    main()
