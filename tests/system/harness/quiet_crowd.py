"""Clients that say nothing and note when they are told to go.

They live in a process of their own, since a process that is busy with other clients sees everything late.
"""

import json
import os
import selectors
import subprocess
import sys
import time


class QuietCrowd:
    """Connections to the proxy that listens at `port`, and does not ping."""

    def __init__(self, port):
        self._process = subprocess.Popen([sys.executable, "-B", "-m", "harness.quiet_crowd", str(port)],
                                         cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def open(self, count):
        """Returns when `count` more are open."""
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "open\n", "the quiet crowd could not connect"

    def watch(self):
        """No more will be opened."""
        self._process.stdin.close()

    def told(self):
        """Waits for the end of all; when each was told to go, by time.monotonic() and in order, and with which codes."""
        told = json.loads(self._process.stdout.readline())
        self.close()
        return told["times"], set(told["codes"])

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def _attend(port):
    from . import frames
    from .client import Client
    times, codes = [], []
    with selectors.DefaultSelector() as waiting:
        for count in sys.stdin:
            for _ in range(int(count)):
                client = Client(("127.0.0.1", port)).open(f"/quiet/{len(waiting.get_map())}")
                waiting.register(client.sock, selectors.EVENT_READ, client)
            print("open", flush=True)
        while waiting.get_map():
            for key, _ in waiting.select():
                times.append(time.monotonic())
                waiting.unregister(key.fileobj)
                close = key.data.read_frame()
                assert close.opcode == frames.CLOSE, close
                codes.append(int.from_bytes(close.payload[:2], "big"))
                key.data.send_close(codes[-1])
    print(json.dumps({"times": times, "codes": codes}), flush=True)


if __name__ == "__main__":
    _attend(int(sys.argv[1]))
