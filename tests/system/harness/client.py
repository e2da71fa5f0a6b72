"""A WebSocket client that says exactly the bytes a test wants."""

import socket
import time

from . import http_head
from .deflate import Agreed, Compressor, StrictInflater
from .wire import DEADLINE, Wire


def connect_tcp(address, *, receive_buffer=None, source=None):
    """`address` is (host, port), IPv6 too, or the path of a unix socket."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
    else:
        sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    if receive_buffer is not None:  # must stand before the connection does: it decides the window
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if source is not None:
        sock.bind((source, 0))
    sock.settimeout(DEADLINE)
    sock.connect(address)
    return sock


class Client(Wire):
    def __init__(self, address, **how):
        super().__init__(connect_tcp(address, **how), masks=True)
        self.answer = None
        self.agreed = None

    def ask(self, path="/", **how):
        self.send_bytes(http_head.request(path, **how))

    def read_answer(self, deadline=DEADLINE):
        """The head of the answer; after a 101 with an extension, compresses and inflates by it."""
        end = time.monotonic() + deadline
        while (head := http_head.take_head(self.buffer)) is None:
            self.receive_some(end - time.monotonic())
        self.answer = head
        extension = head.get("Sec-WebSocket-Extensions")
        if head.status == 101 and extension is not None:
            self.agreed = Agreed(extension)
            self.compressor = Compressor(self.agreed.client_bits, self.agreed.client_takeover)
            self.inflater = StrictInflater(self.agreed.server_bits, self.agreed.server_takeover)
        return head

    def open(self, path="/", **how):
        """The whole handshake, for an app that answers by itself."""
        self.ask(path, **how)
        head = self.read_answer()
        assert head.status == 101, head.raw
        return self
