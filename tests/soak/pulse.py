"""A bystander in a process of its own: one connection for the whole soak, twenty echoes a second, and how long each took.

Its process has nothing else to do, so that what it measures is the proxy and not the crowd's Python. Prints the port of
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


def main():
    interval = float(sys.argv[1])
    app = EchoApp()
    print(app.port, flush=True)
    client = Client(("127.0.0.1", int(sys.stdin.readline()))).open("/pulse/")
    gc.freeze()  # else collections of what never goes away would be among the latencies
    chance, sent, times = random.Random(1), 0, []
    due = end = time.monotonic() + interval
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        message = f"{sent} " + "".join(chance.choices("abcdefgh     ", k=chance.randint(20, 300)))
        began = time.monotonic()
        client.send(message)
        answer = client.read_message().text
        times.append((time.monotonic() - began) * 1e3)
        assert answer == message, f"echo {sent} is another"
        sent += 1
        if (end := time.monotonic()) >= due:
            print(json.dumps({"p50": share(times, 0.5), "p99": share(times, 0.99), "most": max(times), "echoes": len(times)}), flush=True)
            times, due = [], end + interval
    code, _ = client.finish()
    print(json.dumps({"sent": sent, "code": code}), flush=True)


if __name__ == "__main__":
    main()
