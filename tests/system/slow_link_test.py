"""A client that reads slowly all the time is no dead one, even when its pong stands behind much that it has not read yet."""

import os
import time

from harness import SystemTest, frames, main

MESSAGE = os.urandom(65536)  # does not shrink
COUNT = 60  # more than limits.write_buffer: the kernel has the rest
TIMEOUTS = {"ping_interval": "200ms", "ping_timeout": "500ms"}


class SlowLink(SystemTest):
    def open(self):
        self.start(timeouts=TIMEOUTS)
        client, side = self.pair("/slow", client=self.proxy.client(receive_buffer=16384))
        side.send_bytes(side.frame_bytes(frames.BINARY, MESSAGE) * COUNT)
        return client, side

    def test_a_slow_reader_gets_everything_and_keeps_its_connection(self):
        client, side = self.open()
        began = time.monotonic()
        for at in range(COUNT):
            while len(client.buffer) < len(MESSAGE):
                client.buffer += client.sock.recv(16384)
                time.sleep(0.01)  # that is its slowness
            self.assertEqual(client.read_message().data, MESSAGE, at)
        self.assertGreater(time.monotonic() - began, 1.5, "it was not slow")
        client.send("still here")
        self.assertEqual(side.read_message().text, "still here")

    def test_one_that_reads_no_more_is_found_dead(self):
        client, side = self.open()
        client.read_message()
        self.assertEqual(self.proxy.access_line("/slow")["cause"], "ping timeout")


if __name__ == "__main__":
    main()
