"""The opening handshake from the server's side (RFC 6455 section 4.2): the head, what is wrong with it, the answer."""

import base64
import binascii
import time

from harness import http_head



def in_list(value, wanted):
    return wanted in [part.strip().lower() for part in value.split(",")]


class Opening:
    """A mixin of Connection. What a broken server does otherwise is an attribute or a method here."""

    max_head, max_fields = 64 << 10, 200
    head_deadline = 3.0  # seconds for the whole head, however its bytes drip
    lenient = frozenset()  # names of the rules in `problems` that are not looked at
    extra_fields = ()  # of every 101
    refusal_fields = (("Sec-WebSocket-Version", "13"),)

    def open(self):
        """Whether there is a WebSocket from here on."""
        head = self.read_head()
        if head is None:
            return False
        self.server.heads.append(head)
        for rule, status, wrong in self.problems(head):
            if wrong and rule not in self.lenient:
                return self.refuse(status, rule)
        self.write(self.upgrade(head))
        return True

    def read_head(self):
        end = time.monotonic() + self.head_deadline
        while (size := self.buffer.find(b"\r\n\r\n")) < 0 and len(self.buffer) <= self.max_head:
            left = end - time.monotonic()
            if left <= 0:
                return self.refuse(408, "the head takes too long")
            self.sock.settimeout(left)
            try:
                self.receive()
            except TimeoutError:
                continue
        self.sock.settimeout(None)
        if size < 0 or size > self.max_head:
            return self.refuse(431, "the head is too large")
        try:
            return http_head.take_head(self.buffer)
        except ValueError:
            return self.refuse(400, "a line without a colon")

    def refuse(self, status, reason):
        fields = [("Content-Length", "0"), ("Connection", "close"), ("X-Reason", reason), *self.refusal_fields]
        self.write(f"HTTP/1.1 {status} No\r\n".encode() + b"".join(f"{name}: {value}\r\n".encode() for name, value in fields) + b"\r\n")
        self.end()

    def all(self, head, name):
        return [value for key, value in head.fields if self.name_is(key, name)]

    def one(self, head, name):
        return (self.all(head, name) or [""])[0]

    def name_is(self, given, wanted):
        return given.lower() == wanted.lower()

    def is_upgrade(self, value):
        return in_list(value, "websocket")

    def is_connection(self, value):
        return in_list(value, "upgrade")

    def problems(self, head):
        """(rule, status, whether it is broken), section 4.2.1."""
        method, _, version = (head.first_line.split() + ["", "", ""])[:3]
        keys = self.all(head, "Sec-WebSocket-Key")
        return [
            ("method", 405, method != "GET"),
            ("http 1.0", 505, version != "HTTP/1.1"),
            ("too many fields", 431, len(head.fields) > self.max_fields),
            ("host", 400, len(self.all(head, "Host")) != 1),
            ("upgrade", 426, not any(map(self.is_upgrade, self.all(head, "Upgrade")))),
            ("connection", 400, not any(map(self.is_connection, self.all(head, "Connection")))),
            ("version", 426, not self.version_is_known(self.all(head, "Sec-WebSocket-Version"))),
            ("no key", 400, not keys),
            ("two keys", 400, len(keys) > 1),
            ("bad key", 400, any(not is_key(key) for key in keys)),
        ]

    def version_is_known(self, versions):
        return versions == ["13"]

    def upgrade(self, head):
        fields = [*self.upgrade_fields(head), *self.extra_fields]
        self.extensions_answer = self.negotiate(self.all(head, "Sec-WebSocket-Extensions"))
        if self.extensions_answer is not None:
            fields.append(("Sec-WebSocket-Extensions", self.extensions_answer))
        protocol = self.choose_protocol(self.all(head, "Sec-WebSocket-Protocol"))
        if protocol:
            fields.append(("Sec-WebSocket-Protocol", protocol))
        return (self.status_line() + "\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode()

    def status_line(self):
        return "HTTP/1.1 101 Switching Protocols"

    def upgrade_fields(self, head):
        return [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", self.accept(self.one(head, "Sec-WebSocket-Key")))]

    def accept(self, key):
        return http_head.accept_key(key)

    def choose_protocol(self, offers):
        return next((name.strip() for offer in offers for name in offer.split(",") if name.strip()), None)


def is_key(key):
    """Section 4.1: base64 of sixteen octets."""
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False



