"""A correct WebSocket echo server (RFC 6455, RFC 7692), small enough to be broken one rule at a time.

A broken server is a subclass of Connection in which one attribute or method is another (see faults.py). Each connection
has a thread that reads a frame, answers it and reads the next: who does not read its echoes stops being read.
"""

import codecs
import socket
import ssl
import threading
import zlib

from harness import frames
from harness.app import accept_each
from harness.frames import CLOSE, CONTINUATION, PING, PONG, RSV1, RSV2, RSV3

from leaving import Closing, Gone, Silent
from server_deflate import Deflate
from server_opening import Opening

KNOWN_OPCODES = {CONTINUATION, frames.TEXT, frames.BINARY, CLOSE, PING, PONG}


def is_close_code(code):
    """Section 7.4: what may stand in a close frame."""
    return code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014) or 3000 <= code <= 4999


class Message:
    def __init__(self, opcode, compressed):
        self.opcode, self.compressed, self.data = opcode, compressed, bytearray()
        self.text = codecs.getincrementaldecoder("utf-8")() if opcode == frames.TEXT else None


class Connection(Opening, Deflate):
    max_message = 16 << 20
    linger = 2.0  # seconds for the peer to end its half
    instead = {}  # rule of a frame -> what is done when it is broken, in place of closing with its code

    def __init__(self, server, sock):
        self.server, self.sock, self.buffer, self.message = server, sock, bytearray(), None

    def serve(self):
        try:
            if self.open():
                self.talk()
        except (Gone, OSError):
            pass
        finally:
            self.sock.close()

    def talk(self):
        try:
            while True:
                self.take(*self.read_frame())
        except Closing as closing:
            self.send_frame(CLOSE, closing.payload)
            self.end()
        except Silent:
            while True:
                self.receive()
                self.buffer.clear()

    def end(self):
        """Ours first (section 7.1.1). What the peer still sends is read: an RST would take our last words from it."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.settimeout(0)
            try:
                self.sock = self.sock.unwrap()  # close_notify
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
        self.sock.shutdown(socket.SHUT_WR)
        self.sock.settimeout(self.linger)
        while self.sock.recv(1 << 16):
            pass

    def receive(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise Gone
        self.buffer += data

    def write(self, data):
        self.sock.sendall(data)

    def send_frame(self, opcode, payload=b"", **how):
        self.write(frames.encode(opcode, payload, **how))

    def breach(self, rule, code):
        """Returns where a broken server takes the frame as if it were right."""
        how = self.instead.get(rule)
        if how is None:
            raise Closing(frames.close_payload(code, rule))
        how()

    # Frames

    def read_frame(self):
        """(fin, compressed, opcode, payload); judged by its header before the payload is waited for."""
        while (header := frames.header_of(self.buffer)) is None:
            self.receive()
        fin, rsv, opcode, masked, length, size, form = header
        if length >> 63:
            self.breach("top bit", 1002)
            length &= (1 << 63) - 1
        if form != (7 if length < 126 else 16 if length < 65536 else 64):
            self.breach("length form", 1002)
        self.judge_header(fin, rsv, opcode, masked, length)
        begin = size + (4 if masked else 0)
        while len(self.buffer) < begin + length:
            self.receive()
        payload = bytes(self.buffer[begin : begin + length])
        if masked:
            payload = frames.apply_mask(payload, bytes(self.buffer[size:begin]))
        del self.buffer[: begin + length]
        return fin, bool(rsv & RSV1), opcode, payload

    def judge_header(self, fin, rsv, opcode, masked, length):
        if opcode not in KNOWN_OPCODES:
            self.breach(f"opcode {opcode}", 1002)
        if not masked:
            self.breach("unmasked", 1002)
        if rsv & RSV2:
            self.breach("rsv2", 1002)
        if rsv & RSV3:
            self.breach("rsv3", 1002)
        if rsv & RSV1:
            self.judge_rsv1(opcode)
        if opcode >= CLOSE:
            if length > 125:
                self.breach("control size", 1002)
            if not fin:
                self.breach("control fragmented", 1002)
        elif length + (len(self.message.data) if self.message else 0) > self.max_message:
            self.breach("too long", 1009)

    def judge_rsv1(self, opcode):
        if self.terms is None:
            self.breach("rsv1", 1002)
        elif opcode >= CLOSE:
            self.breach("rsv1 on control", 1002)
        elif opcode == CONTINUATION:
            self.breach("rsv1 on continuation", 1002)

    def take(self, fin, compressed, opcode, payload):
        if opcode == PING:
            self.on_ping(payload)
        elif opcode == CLOSE:
            self.on_close(payload)
        elif opcode == PONG:
            self.on_pong(payload)
        elif opcode in KNOWN_OPCODES:
            self.on_data(fin, compressed, opcode, payload)

    def on_ping(self, payload):
        self.send_frame(PONG, payload)

    def on_pong(self, payload):
        pass

    # Messages

    def on_data(self, fin, compressed, opcode, payload):
        if opcode == CONTINUATION:
            if self.message is None:
                return self.breach("continuation", 1002)
        else:
            if self.message is not None:
                self.breach("interleaved", 1002)
            self.message = Message(opcode, compressed and self.terms is not None)
            if self.message.compressed:
                self.inflater.begin()
        self.extend(payload, fin)
        if fin:
            message, self.message = self.message, None
            self.on_message(message.opcode, bytes(message.data))

    def extend(self, payload, fin):
        if self.message.compressed:
            payload = self.inflate(payload, fin)
        self.message.data += payload
        if self.message.text is not None:
            try:
                self.check_text(payload, fin)
            except UnicodeDecodeError:
                self.breach("compressed utf8" if self.message.compressed else "utf8", 1007)
                self.message.text = None

    def check_text(self, payload, fin):
        self.message.text.decode(payload, final=fin)

    def inflate(self, payload, fin):
        room = self.max_message - len(self.message.data)
        try:
            plain = self.inflater.feed(payload, room)
            return plain + self.inflater.finish(room - len(plain)) if fin else plain
        except zlib.error:
            self.breach("corrupt", 1007)
            self.inflater = self.make_inflater()
            return b""

    def on_message(self, opcode, data):
        self.send_message(opcode, data)

    def send_message(self, opcode, data):
        if self.terms is None:
            self.send_frame(opcode, data)
        else:
            self.send_frame(opcode, self.compressor.compress(data), rsv=RSV1)

    # The closing handshake (section 7)

    def on_close(self, payload):
        if len(payload) == 1:
            self.breach("one byte", 1002)
        code, reason = int.from_bytes(payload[:2], "big"), payload[2:]
        if len(payload) >= 2 and not is_close_code(code):
            self.breach(f"close code {code}", 1002)
        try:
            reason.decode()
        except UnicodeDecodeError:
            self.breach("reason", 1007)
        self.answer_close(payload)

    def answer_close(self, payload):
        raise Closing(payload[:2] if len(payload) >= 2 else b"")


class EchoServer:
    """Listens on a port of its own. `context`: for TLS."""

    def __init__(self, kind=Connection, *, context=None):
        self._kind, self._context = kind, context
        self.heads = []  # of all requests
        self._open, self._turn = set(), threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=accept_each, args=(self._listener, self._serve), daemon=True).start()

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/" if self._context is None else f"wss://localhost:{self.port}/"

    def _serve(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._context is not None:
                sock.settimeout(5)
                sock = self._context.wrap_socket(sock, server_side=True)
                sock.settimeout(None)
        except OSError:
            return sock.close()
        with self._turn:
            self._open.add(sock)
        self._kind(self, sock).serve()
        with self._turn:
            self._open.discard(sock)

    def stop(self):
        for sock in [self._listener, *self._open]:
            try:
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
            except OSError:
                pass
        self._listener.close()
