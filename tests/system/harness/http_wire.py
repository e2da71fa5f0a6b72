"""One end of an HTTP/1.1 connection at the level of bytes: reads messages strictly (RFC 9112), sends anything."""

import dataclasses
import re
import time

from . import http_head, http_message
from .client import connect_tcp
from .wire import DEADLINE, Ended, Wire


@dataclasses.dataclass
class Body:
    data: bytes = b""
    raw: bytes = b""  # as it was framed
    trailers: list = dataclasses.field(default_factory=list)


class Cut(Exception):
    """The connection ended inside a message: `head` and `data` are what had come, `how` is reset or end of file."""

    def __init__(self, head, data, how):
        super().__init__(f"cut by {how} after {len(data)} bytes of the body of {head.first_line if head else None}")
        self.head, self.data, self.how = head, bytes(data), how


@dataclasses.dataclass
class Answer:
    head: http_head.Head
    body: Body
    interim: list  # heads of 1xx answers before it

    @property
    def status(self):
        return self.head.status

    @property
    def data(self):
        return self.body.data

    @property
    def closes(self):
        """Whether the head says that the connection ends here."""
        options = ",".join(self.head.all("Connection")).lower()
        return "close" in options or (self.head.first_line.startswith("HTTP/1.0") and "keep-alive" not in options)


class HttpWire(Wire):
    def __init__(self, sock, received=b""):
        super().__init__(sock, masks=False, received=received)

    def take(self, size, deadline=DEADLINE):
        """Exactly that many bytes."""
        end = time.monotonic() + deadline
        while len(self.buffer) < size:
            self.receive_some(end - time.monotonic())
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def take_line(self, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while (at := self.buffer.find(b"\r\n")) < 0:
            self.receive_some(end - time.monotonic())
        return self.take(at + 2)[:-2]

    def read_head(self, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while (head := http_head.take_head(self.buffer)) is None:
            self.receive_some(end - time.monotonic())
        return head

    def read_body(self, head, *, until_close=False, deadline=DEADLINE):
        """The body that goes with the head; `until_close`: one without a length ends with the connection."""
        codings, lengths = head.all("Transfer-Encoding"), head.all("Content-Length")
        assert len(codings) + len(lengths) <= 1, f"an ambiguous length: {head.raw}"
        body = bytearray()
        try:
            if codings:
                assert codings[0].lower() == "chunked", head.raw
                return self._read_chunks(body, deadline)
            if lengths:
                left = int(lengths[0])
                while left > 0:
                    if not self.buffer:
                        self.receive_some(deadline)
                    piece = self.take(min(left, len(self.buffer)))
                    left -= len(piece)
                    body += piece
                return Body(bytes(body), bytes(body))
        except Ended as ended:
            raise Cut(head, body + self.buffer if lengths else body, str(ended)) from ended
        if until_close:
            body = self._read_until_close(head, deadline)
        return Body(bytes(body), bytes(body))

    def _read_chunks(self, data, deadline):
        raw = bytearray()
        while True:
            line = self.take_line(deadline)
            raw += line + b"\r\n"
            match = re.fullmatch(rb"([0-9a-fA-F]{1,16})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?", line)
            assert match, f"not a chunk's size: {line!r}"
            size = int(match[1], 16)
            if size == 0:
                break
            piece = self.take(size + 2, deadline)
            assert piece.endswith(b"\r\n"), f"a chunk that is longer than it says: {piece[-20:]!r}"
            raw += piece
            data += piece[:-2]
        trailers = []
        while line := self.take_line(deadline):
            raw += line + b"\r\n"
            name, _, value = line.decode("latin-1").partition(":")
            trailers.append((name, value.strip()))
        return Body(bytes(data), bytes(raw + b"\r\n"), trailers)

    def _read_until_close(self, head, deadline):
        end = time.monotonic() + deadline
        while True:
            try:
                self.receive_some(end - time.monotonic())
            except Ended as ended:
                body, self.buffer = bytes(self.buffer), bytearray()
                if str(ended) != "end of file":
                    raise Cut(head, body, str(ended)) from ended
                return body

    def read_end(self, deadline=DEADLINE):
        """The peer ends the connection without another byte. How: reset or end of file."""
        try:
            self.receive_some(deadline)
        except Ended as ended:
            assert not self.buffer, f"bytes before the end: {bytes(self.buffer)!r}"
            return str(ended)
        raise AssertionError(f"bytes instead of the end: {bytes(self.buffer)!r}")


class HttpClient(HttpWire):
    def __init__(self, address, **how):
        super().__init__(connect_tcp(address, **how))

    def ask(self, *args, **how):
        self.send_bytes(http_message.request(*args, **how))
        return self

    def read_answer(self, to="GET", deadline=DEADLINE):
        """The final answer to a request of that method, and the interim ones before it."""
        interim = []
        while (head := self.read_head(deadline)).status < 200:
            interim.append(head)
        if to == "HEAD" or head.status in (204, 304):
            return Answer(head, Body(), interim)
        return Answer(head, self.read_body(head, until_close=True, deadline=deadline), interim)
