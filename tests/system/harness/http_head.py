"""Heads of HTTP/1.1 as bytes, and the handshake's arithmetic (RFC 6455 section 4)."""

import base64
import dataclasses
import hashlib

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def accept_key(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


@dataclasses.dataclass
class Head:
    first_line: str
    fields: list  # (name, value) in order
    raw: bytes

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    @property
    def status(self):
        return int(self.first_line.split()[1])

    @property
    def target(self):
        return self.first_line.split()[1]


def parse(raw):
    lines = raw.decode("latin-1").split("\r\n")
    fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]
    return Head(lines[0], fields, raw)


def take_head(buffer):
    """Removes a head from the bytearray, or returns None."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    raw = bytes(buffer[: end + 4])
    del buffer[: end + 4]
    return parse(raw)


def request(path="/", *, host="localhost", key=SAMPLE_KEY, extensions=None, fields=(), without=(), method="GET",
            version="HTTP/1.1", **replaced):
    """An upgrade request. `without` leaves default fields out, `replaced` gives them another value."""
    lines = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
             "Sec-WebSocket-Version": "13"}
    for name in list(lines):
        if name in without:
            del lines[name]
        elif name.replace("-", "_").lower() in replaced:
            lines[name] = replaced[name.replace("-", "_").lower()]
    offers = [extensions] if isinstance(extensions, str) else extensions or []
    pairs = [*lines.items(), *(("Sec-WebSocket-Extensions", offer) for offer in offers), *fields]
    return "".join([f"{method} {path} {version}\r\n", *(f"{name}: {value}\r\n" for name, value in pairs), "\r\n"]).encode()


def answer_101(key, fields=()):
    pairs = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept_key(key)), *fields]
    return ("HTTP/1.1 101 Switching Protocols\r\n" + "".join(f"{n}: {v}\r\n" for n, v in pairs) + "\r\n").encode()
