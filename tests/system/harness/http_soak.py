"""Many clients and an app that behave in every way by chance, good and bad; whoever gets another's bytes notes it.

Each request has a tag of its own, in its target and its X-Tag; bodies of it and of its answer repeat the tag.
"""

import random
import socket
import threading
import time

from . import http_message
from .app import ListeningApp
from .http_wire import Cut, HttpClient, HttpWire
from .wire import DEADLINE, Ended

METHODS = ("GET",) * 5 + ("HEAD", "POST", "POST", "PUT", "DELETE")
# Of the app; most requests are just answered.
MANNERS = ("answer",) * 12 + ("early", "close", "reset", "cut", "late", "last", "until close", "interim", "more", "large")


def body_of(tag, size):
    return (tag.encode() + b".") * (size // (len(tag) + 1)) + tag.encode()[: size % (len(tag) + 1)]


def is_of(tag, data):
    return data == body_of(tag, len(data))


def pieces(chance, data):
    at = 0
    while at < len(data):
        size = chance.randint(1, len(data))
        yield data[at: at + size]
        at += size


def send_cut(chance, wire, data):
    """At times in several segments, which come one by one."""
    for piece in pieces(chance, data) if chance.random() < 0.3 else (data,):
        wire.send_bytes(piece)


def framed(chance, body):
    return {"chunks": [*pieces(chance, body)]} if chance.random() < 0.5 else {"body": body}


class Faults:
    def __init__(self):
        self.list = []

    def note(self, *what):
        self.list.append(" ".join(str(part)[:300] for part in what))

    def unless(self, fine, *what):
        if not fine:
            self.note(*what)


class SoakApp(ListeningApp):
    def __init__(self, seed, faults):
        super().__init__()
        self._seed, self._faults, self._open = seed, faults, set()
        threading.Thread(target=self._accept_all, daemon=True).start()

    def _accept_all(self):
        at = 0
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            at += 1
            threading.Thread(target=self._serve, args=(HttpWire(sock), random.Random(f"{self._seed} app {at}")), daemon=True).start()

    def _serve(self, wire, chance):
        try:
            while self._answer(wire, chance):
                pass
        except (Ended, Cut, TimeoutError, OSError):
            pass
        except (AssertionError, ValueError, IndexError) as odd:
            self._faults.note("the app cannot read a request:", odd)
        wire.close()

    def _answer(self, wire, chance):
        """False when that was the last one."""
        head = wire.read_head()
        method, target, version = head.first_line.split(" ")
        tag = head.get("X-Tag")
        self._faults.unless(method in METHODS and version == "HTTP/1.1" and target == f"/{tag}", "the app got a mixed request:", head.raw)
        manner = chance.choice(MANNERS)
        if manner == "reset":
            wire.reset()
            return False
        if manner == "close":
            return False
        if manner != "early":
            self._read_body(wire, head, tag)
        if manner == "late":
            time.sleep(chance.random() * 0.1)  # for the requests of others to come in between
        if manner == "interim":
            wire.send_bytes(http_message.answer("103 Early Hints", fields=[("X-Tag", tag)]))
        raw, is_last = self._whole_answer(chance, manner, method, tag)
        if manner == "cut":
            wire.send_bytes(raw[: chance.randint(1, len(raw))])
            return False
        if manner == "more":
            # At once: behind an answer that has been taken already, nobody could tell it from the next one's.
            wire.send_bytes(raw)
        else:
            send_cut(chance, wire, raw)
        if manner == "early":
            self._read_body(wire, head, tag)
        return not is_last

    def _read_body(self, wire, head, tag):
        self._faults.unless(is_of(tag, data := wire.read_body(head).data), "the app got a mixed body:", tag, data)

    def _whole_answer(self, chance, manner, method, tag):
        fields = [("X-Tag", tag)] + [("Connection", "close")] * (manner == "last")
        body = body_of(tag, 1_000_000 if manner == "large" else chance.choice((0, 10, 1000, 70_000)))
        if chance.random() < 0.1 and manner not in ("until close", "large"):
            raw = http_message.answer(chance.choice(("204 No Content", "304 Not Modified")), fields=fields)
        elif manner == "until close":
            raw = http_message.answer(fields=fields) + (b"" if method == "HEAD" else body)
        else:
            raw = http_message.answer(fields=fields, **framed(chance, body))
            if method == "HEAD":
                raw = raw[: raw.index(b"\r\n\r\n") + 4]
        if manner == "more":
            raw += http_message.answer(fields=[("X-Tag", "nobody")], body=b"nobody")
        return raw, manner in ("last", "until close")


class SoakClient(threading.Thread):
    def __init__(self, address, name, seed, until, faults):
        super().__init__(daemon=True)
        self._address, self._name, self._until, self._faults = address, name, until, faults
        self._chance = random.Random(f"{seed} client {name}")
        self.answered = 0

    def run(self):
        while time.monotonic() < self._until:
            wire = HttpClient(self._address)
            try:
                for _ in range(self._chance.randint(1, 8)):
                    if not self._ask(wire):
                        break
            except (Ended, OSError) as end:
                self._faults.unless(not isinstance(end, TimeoutError), "a client waits for ever")
            except (AssertionError, ValueError, IndexError) as odd:
                self._faults.note("a client cannot read an answer:", odd)
            wire.close()

    def _ask(self, wire):
        """Some requests at once; False when the connection is over."""
        asked = [(self._chance.choice(METHODS), f"{self._name}x{self._chance.getrandbits(40):x}") for _ in range(self._chance.choice((1, 1, 1, 2, 4)))]
        raw = b"".join(self._request(*one) for one in asked)
        manner = self._chance.random()
        if manner < 0.06:  # leaves in the middle of it
            wire.send_bytes(raw[: self._chance.randint(0, min(len(raw), 100_000))])
            if manner < 0.03:
                wire.reset()
            return False
        ends = manner < 0.12
        if ends:
            raw = raw[: self._chance.randint(0, len(raw))]
        # The answers are read meanwhile.
        sender = threading.Thread(target=self._send, args=(wire, random.Random(self._chance.random()), raw, ends), daemon=True)
        sender.start()
        goes_on = self._read_answers(wire, asked) and not ends
        if goes_on:
            sender.join(DEADLINE)
        return goes_on

    def _request(self, method, tag):
        how = {}
        if method in ("POST", "PUT"):
            how = framed(self._chance, body_of(tag, self._chance.choice((0, 5, 3000, 100_000, 400_000))))
        return http_message.request(f"/{tag}", method, fields=[("X-Tag", tag)], **how)

    @staticmethod
    def _send(wire, chance, raw, ends):
        try:
            send_cut(chance, wire, raw)
            if ends:
                wire.sock.shutdown(socket.SHUT_WR)
        except (Ended, OSError):
            pass

    def _read_answers(self, wire, asked):
        for method, tag in asked:
            try:
                got = wire.read_answer(method)
            except Cut as cut:
                self._faults.unless(cut.head.get("X-Tag") == tag and is_of(tag, cut.data), "a client got a mixed part:", tag, cut.head.raw, cut.data)
                return False
            if got.head.get("X-Tag") is None:  # the proxy's own words
                self._faults.unless(got.status in (400, 408, 502, 504), "an odd refusal:", got.head.raw)
                return False
            tags = {head.get("X-Tag") for head in (got.head, *got.interim)}
            self._faults.unless(tags == {tag} and is_of(tag, got.data), "a client got another's answer:", tag, got.head.raw, got.data)
            self.answered += 1
            if got.closes:
                return False
        return True
