"""A TLS client whose every byte on the wire is the test's to cut, join, hold back or spoil."""

import socket
import ssl

from .client import Client, connect_tcp
from .wire import DEADLINE, Wire


def records(data):
    """(type, body) of the TLS records that the bytes begin with."""
    found = []
    while len(data) >= 5 and len(data) >= (size := 5 + int.from_bytes(data[3:5], "big")):
        found.append((data[0], data[5:size]))
        data = data[size:]
    return found


def alerts(data):
    """The numbers of the alerts in plain text among these records."""
    return [body[1] for kind, body in records(data) if kind == 21 and len(body) == 2]


class Machine:
    """As much of a socket as a Wire wants, over TLS that is driven by hand. `raw` is the TCP socket.

    `piece`: so many bytes go out at a time, a segment each. `records_sent` counts what it has written."""

    def __init__(self, raw, context, *, name="localhost", piece=None):
        self.raw, self.piece = raw, piece
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def first_flight(self):
        """What the client says first, unsent."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return self._outgoing.read()
        raise AssertionError("a handshake of one side only")

    def second_flight(self):
        """What it says when the server's flight has come, unsent."""
        while not (said := self._outgoing.read()):
            self._take(self.raw.recv(65536))
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
        return said

    def shake_hands(self, ahead=b""):
        """`ahead` goes out in front of the first bytes, with them."""
        while True:
            try:
                self.tls.do_handshake()
                return self.push(ahead + self._outgoing.read())
            except ssl.SSLWantReadError:
                self.push(ahead + self._outgoing.read())
                ahead = b""
                self._take(self.raw.recv(65536))
            except ssl.SSLError:
                self.push(self._outgoing.read())
                raise

    def _take(self, data):
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def push(self, data):
        step = self.piece or len(data) or 1
        for at in range(0, len(data), step):
            self.raw.sendall(data[at : at + step])

    def seal(self, *pieces):
        """The records of these pieces, at least one each, unsent."""
        for piece in pieces:
            assert self.tls.write(piece) == len(piece)
        return self._outgoing.read()

    def sendall(self, data):
        if data:
            self.push(self.seal(data))

    def recv(self, size):
        while True:
            try:
                return self.tls.read(size)
            except ssl.SSLWantReadError:
                self.push(self._outgoing.read())
                self._take(self.raw.recv(65536))
            except ssl.SSLZeroReturnError:
                return b""

    def close_notify(self):
        """Says the end and does not wait for the peer's."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.push(self._outgoing.read())

    family = property(lambda self: self.raw.family)

    def settimeout(self, seconds):
        self.raw.settimeout(seconds)

    def setsockopt(self, *option):
        self.raw.setsockopt(*option)

    def close(self):
        self.raw.close()


class RawTlsClient(Client):
    """A Client on such a machine, past its handshake unless told not to; `sock` is the machine."""

    def __init__(self, address, context, *, name="localhost", piece=None, ahead=b"", shakes_hands=True, **how):
        raw = connect_tcp(address, **how)
        raw.settimeout(DEADLINE)
        machine = Machine(raw, context, name=name, piece=piece)
        try:
            if shakes_hands:
                machine.shake_hands(ahead)
        except BaseException:
            raw.close()
            raise
        Wire.__init__(self, machine, masks=True)
        self.answer = self.agreed = None
