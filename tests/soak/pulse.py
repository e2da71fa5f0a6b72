"""A bystander in a process of its own: one connection for the whole soak, twenty echoes a second, and how long each took.

Its process has nothing else to do, so that what it measures is the proxy and not the crowd's Python. The same echo goes
without the proxy each time as well: when the machine becomes slower, that one does too. Prints the port of
its app, reads the proxy's, then prints a line of JSON an interval until its standard input ends.
"""

import gc
import json
import random
import select
import sys
import time

from harness.app import EchoApp
from harness.client import Client

PAUSE = 0.05  # seconds between two echoes


def share(times, part):
    return sorted(times)[min(len(times) - 1, int(part * len(times)))]


class Timed:
    """A connection and how many milliseconds each of its echoes took."""

    def __init__(self, port):
        self.client, self.times = Client(("127.0.0.1", port)).open("/pulse/"), []

    def echo(self, message):
        began = time.monotonic()
        self.client.send(message)
        answer = self.client.read_message().text
        self.times.append((time.monotonic() - began) * 1e3)
        assert answer == message, f"an echo is another: {message[:20]}"


def main():
    interval = float(sys.argv[1])
    app = EchoApp()
    print(app.port, flush=True)
    proxied, direct = Timed(int(sys.stdin.readline())), Timed(app.port)
    gc.freeze()  # else collections of what never goes away would be among the latencies
    chance, sent = random.Random(1), 0
    due = time.monotonic() + interval
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        message = f"{sent} " + "".join(chance.choices("abcdefgh     ", k=chance.randint(20, 300)))
        proxied.echo(message)
        direct.echo(message)
        sent += 1
        if time.monotonic() >= due:
            print(json.dumps({"p50_ms": share(proxied.times, 0.5), "p99_ms": share(proxied.times, 0.99),
                              "direct_p99_ms": share(direct.times, 0.99)}), flush=True)
            proxied.times, direct.times, due = [], [], time.monotonic() + interval
    code, _ = proxied.client.finish()
    print(json.dumps({"sent": sent, "code": code}), flush=True)


if __name__ == "__main__":
    main()
