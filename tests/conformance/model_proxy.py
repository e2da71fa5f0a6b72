"""A small proxy in Python that keeps the rules, and can be told to break one: what the cases are tried on.

It knows nothing of wsproxy. Whole frames go on as they came; a compressed message goes on when it is whole.
"""

import codecs
import os
import select
import socket
import threading
import zlib

from case import APP, CLIENT

from harness import Client, frames, http_head
from harness.app import ListeningApp
from harness.client import connect_tcp
from harness.deflate import TAIL, Agreed
from harness.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, TEXT, Frame

LIMIT = 16 << 20


class Refused(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Inflater:
    """Any legal stream: each message on its own, primed with what was before."""

    def __init__(self, agreed, wrong):
        self._takeover, self._wrong, self._past = agreed.client_takeover, wrong, b""

    def inflate(self, data):
        # An empty last block behind the tail: only a stream that was between two blocks gets to its end.
        rest, out = data + TAIL + b"\x03\x00", b""
        if self._wrong("forgets what the client sent before") or not (self._takeover or self._wrong("remembers where it must forget")):
            self._past = b""
        try:
            while rest:
                stream = zlib.decompressobj(-9 if self._wrong("inflates with too small a window") else -15, zdict=self._past)
                more = stream.decompress(rest)
                if not stream.eof and not self._wrong("takes half a stream for a whole one"):
                    raise Refused(1007)
                rest, out = stream.unused_data, out + more
                if rest and self._wrong("ends a message at BFINAL"):
                    rest = b""
                self._past = (self._past + more)[-32768:]
                if rest and self._wrong("forgets at BFINAL"):
                    self._past = b""
        except zlib.error as error:
            if self._wrong("takes corrupt data for an empty message"):
                return b""
            raise Refused(1002 if self._wrong("calls corrupt data a protocol error") else 1007) from error
        return out


class Deflater:
    def __init__(self, agreed, wrong):
        self._bits, self._takeover, self._wrong, self._stream = max(agreed.server_bits, 9), agreed.server_takeover, wrong, None

    def deflate(self, data):
        """None when it does not shrink. zlib has no window of 8 bits; with 9 it reaches back 250 octets at most."""
        if len(data) < 32 or len(set(data[:256])) > 120 and not self._wrong("compresses noise"):
            return None
        if self._wrong("never compresses"):
            return None
        if self._stream is None or not (self._takeover or self._wrong("refers back where it must not")):
            bits = 15 if self._wrong("refers further back than was agreed") else self._bits
            self._stream = zlib.compressobj(6, zlib.DEFLATED, -bits)
        trial = self._stream.copy()  # what goes raw after all is no part of the history
        small = trial.compress(data) + trial.flush(zlib.Z_SYNC_FLUSH)
        if len(small) > len(data) and not self._wrong("compresses noise"):
            return None
        self._stream = trial
        if self._wrong("leaves the four octets at the end"):
            return small
        return small[:-5] if self._wrong("takes five octets from the end") else small[:-4]


class Side:
    """What one end has sent so far: cuts it into frames and holds them against the rules."""

    def __init__(self, name, agreed, wrong):
        self.name, self._wrong = name, wrong
        self.buffer, self.closed = bytearray(), False
        self._squeezes = agreed is not None and name == CLIENT
        self._first, self._size, self._checked, self._checker = None, 0, 0, None

    def take(self, data):
        self.buffer += data
        while (header := frames.header_of(self.buffer)) is not None and not self.closed:
            self._check(header)
            if (frame := frames.take_frame(self.buffer)) is None:
                self._check_part(header)
                return
            self._accept(frame)
            yield self._first_of(frame), frame

    def _check(self, header):
        fin, rsv, opcode, masked, length, size, form = header
        wrong, data = self._wrong, opcode < 8
        if masked != (self.name == CLIENT) and not wrong(f"takes either mask bit from the {self.name}"):
            raise Refused(1002)
        if rsv & 3 and not wrong("ignores RSV2 and RSV3"):
            raise Refused(1002)
        if rsv & 4 and not (self._squeezes and opcode in (TEXT, BINARY)) and not wrong("ignores RSV1 where it may not be"):
            raise Refused(1002)
        if opcode in (3, 4, 5, 6, 7) and not wrong("takes reserved opcodes for data") or opcode > PONG and not wrong("ignores reserved control opcodes"):
            raise Refused(1002)
        if form != (7 if length < 126 else 16 if length < 65536 else 64) and not wrong("takes lengths that are too long"):
            raise Refused(1002)
        if length >> 63:
            raise Refused(1009 if wrong("takes the top bit for a length") else 1002)
        if not data and (length > 125 and not wrong("takes long control frames") or not fin and not wrong("takes control frames in parts")):
            raise Refused(1002)
        self._check_order(opcode, length)

    def _check_order(self, opcode, length):
        if opcode >= 8:
            return
        if opcode == CONTINUATION and self._first is None and not self._wrong("takes a continuation of nothing"):
            raise Refused(1002)
        if opcode != CONTINUATION and self._first is not None and not self._wrong("takes a message inside another"):
            raise Refused(1002)
        if self.name == CLIENT and not self._wrong("has no limit"):
            size = length + (self._size if opcode == CONTINUATION and not self._wrong("counts fragments one by one") else 0)
            if size > LIMIT - self._wrong("has a limit that is one octet too small"):
                raise Refused(1009)

    def _check_part(self, header):
        """8.1: text is judged as it comes. What has been looked at is not looked at again."""
        _, rsv, opcode, masked, _, size, _ = header
        start = size + (4 if masked else 0)
        if opcode not in (TEXT, CONTINUATION) or rsv or self.name != CLIENT or len(self.buffer) < start or self._wrong("judges text when a frame is whole"):
            return
        part = frames.apply_mask(bytes(self.buffer[start:]), bytes(self.buffer[size:start])) if masked else bytes(self.buffer[start:])
        if opcode == TEXT and self._checked == 0:
            self.begin_text()
        if opcode == TEXT or (self._first and self._first.opcode == TEXT and not self._first.rsv):
            self.check_text(part[self._checked :], False)
            self._checked = len(part)

    def begin_text(self):
        self._checker = codecs.getincrementaldecoder("utf-8")("surrogatepass" if self._wrong("takes surrogates for text") else "strict")

    def check_text(self, data, fin):
        wrong = self._wrong
        if wrong("lets any octets be text"):
            return
        if wrong("takes overlong letters"):
            data = data.replace(b"\xc0\xaf", b"/")
        if wrong("refuses non-characters") and b"\xef\xbf\xbe" in data or wrong("refuses the byte order mark") and b"\xef\xbb\xbf" in data:
            raise Refused(1007)
        if wrong("judges each fragment on its own"):
            self.begin_text()
            fin = True
        try:
            self._checker.decode(data, fin and not wrong("lets a message end inside a letter"))
        except UnicodeDecodeError as error:
            raise Refused(1002 if wrong("calls bad text a protocol error") else 1007) from error

    def _accept(self, frame):
        if frame.is_control:
            return self._check_close(frame.payload) if frame.opcode == CLOSE else None
        if self._first is None or frame.opcode != CONTINUATION:
            if self._checked == 0:
                self.begin_text()
            self._first, self._size = frame, 0
        self._size += len(frame.payload)
        is_text = self._first.opcode == TEXT or self._wrong("judges binary as text")
        judged = not self._wrong("judges a text when it is whole") or frame.fin
        if self.name == CLIENT and is_text and not self._first.rsv and judged:
            self.check_text(frame.payload[self._checked :], frame.fin)
        self._checked = 0

    def _first_of(self, frame):
        first = self._first
        if not frame.is_control and frame.fin:
            self._first = None
        return first

    def _check_close(self, payload):
        wrong, code = self._wrong, int.from_bytes(payload[:2], "big")
        self.closed = not wrong("goes on behind a close frame")
        if not payload:
            return
        legal = {*range(1000, 1004), *range(1007, 1012 if wrong("knows the codes of 2011 only") else 1015),
                 *range(4000 if wrong("refuses registered codes") else 3000, 5000)}
        if len(payload) == 1 and not wrong("takes half a code") or len(payload) > 1 and code not in legal and not wrong("takes any code"):
            raise Refused(1002)
        try:
            payload[2:].decode()
        except UnicodeDecodeError as error:
            if not wrong("takes any reason"):
                raise Refused(1007) from error


class Connection:
    def __init__(self, client, app, agreed, wrong):
        self._sockets, self._wrong, self._agreed = {CLIENT: client, APP: app}, wrong, agreed
        self._sides = {name: Side(name, agreed, wrong) for name in (CLIENT, APP)}
        self._inflater = Inflater(agreed, wrong) if agreed else None
        self._deflater = Deflater(agreed, wrong) if agreed else None
        self._told_close, self._message, self._waiting, self._held = set(), {CLIENT: [], APP: []}, [], {}

    def run(self, early):
        self._received(CLIENT, early)
        open_ends = dict(self._sockets)
        while open_ends:
            for sock in select.select(list(open_ends.values()), [], [])[0]:
                name = CLIENT if sock is self._sockets[CLIENT] else APP
                try:
                    data = sock.recv(1 << 18)
                except OSError:
                    data = b""
                if data:
                    self._received(name, data)
                    continue
                del open_ends[name]
                try:
                    self._sockets[other(name)].shutdown(socket.SHUT_WR)
                except OSError:
                    pass
        for sock in self._sockets.values():
            sock.close()

    def _received(self, name, data):
        side = self._sides[name]
        if side.closed:
            return
        try:
            for first, frame in side.take(data):
                self._pass_on(other(name), first, frame)
        except Refused as refused:
            side.closed = True
            self._close(name, refused.code)
            if not self._wrong("leaves the other end without a close frame"):
                self._close(other(name), 1011 if name == APP else refused.code)

    def _close(self, name, code):
        if name not in self._told_close:
            self._told_close.add(name)
            self._send(name, Frame(True, 0, CLOSE, code.to_bytes(2, "big"), None, True, 0))

    def _pass_on(self, to, first, frame):
        wrong = self._wrong
        if frame.opcode == CLOSE:
            return self._pass_close(to, frame)
        if frame.is_control:
            return self._pass_control(to, first, frame)
        if not frame.payload and frame.fin and wrong("drops empty messages"):
            return
        if wrong("takes text for binary") and frame.opcode == TEXT:
            frame.opcode = BINARY
        if first.rsv & RSV1 or (to == CLIENT and self._agreed):
            return self._pass_whole(to, first, frame)
        if frame.fin and frame.opcode != CONTINUATION and len(frame.payload) < 126 and wrong("swaps two messages"):
            if to in self._held:
                self._send(to, frame)
                frame = self._held.pop(to)
            else:
                self._held[to] = frame
                return
        if len(frame.payload) > 65536 and wrong("loses an octet of what is large"):
            frame.payload = frame.payload[:-1]
        if not frame.fin and wrong("ends a message with each fragment"):
            frame.fin = True
        self._send(to, frame)
        if frame.fin:
            self._release(to)

    def _release(self, to):
        waiting, self._waiting = self._waiting, []
        for frame in waiting:
            self._send(to, frame)

    def _pass_control(self, to, first, frame):
        wrong = self._wrong
        if frame.opcode == PONG and wrong("drops pongs") or frame.opcode > PONG:
            return
        if frame.opcode == PING and wrong("answers pings itself"):
            frame.opcode = PONG
            return self._send(other(to), frame)
        if len(frame.payload) > 100 and wrong("cuts long pings"):
            frame.payload = frame.payload[:100]
        if self._sides[other(to)]._first is not None and wrong("holds pings until a message ends"):
            self._waiting.append(frame)
            return
        self._send(to, frame)

    def _pass_close(self, to, frame):
        wrong = self._wrong
        if frame.payload and wrong("drops the reason"):
            frame.payload = frame.payload[:2]
        if not frame.payload and wrong("makes 1000 of no code"):
            frame.payload = b"\x03\xe8"
        if not frame.payload and wrong("says 1005 aloud"):
            frame.payload = b"\x03\xed"
        if to not in self._told_close:
            self._told_close.add(to)
            self._send(to, frame)

    def _pass_whole(self, to, first, frame):
        self._message[to].append(frame.payload)
        if not frame.fin:
            if first.rsv and first.opcode == TEXT and not self._wrong("judges a text when it is whole"):
                self._look_ahead(first)
            return
        data, self._message[to] = b"".join(self._message[to]), []
        if to == APP:
            data, rsv = self._inflater.inflate(data), RSV1 if self._wrong("leaves RSV1 on what it inflated") else 0
            if first.opcode == TEXT and not self._wrong("does not judge compressed text"):
                self._sides[CLIENT].begin_text()
                self._sides[CLIENT].check_text(data, True)
        elif (small := self._deflater.deflate(data)) is not None:
            data, rsv = small, 0 if self._wrong("does not say that it compressed") else RSV1
        else:
            rsv = 0
        self._send(to, Frame(True, rsv, first.opcode, data, None, True, 0))
        self._release(to)

    def _look_ahead(self, first):
        """Text that is wrong already in a message that is not whole yet."""
        try:
            so_far = zlib.decompressobj(-15, zdict=self._inflater._past).decompress(b"".join(self._message[APP]))
        except zlib.error:
            raise Refused(1007) from None
        self._sides[CLIENT].begin_text()
        self._sides[CLIENT].check_text(so_far, False)

    def _send(self, to, frame):
        if to in self._told_close and frame.opcode != CLOSE:
            return
        wrong, masked = self._wrong, to == APP
        if to == APP and wrong("does not mask") or to == CLIENT and wrong("masks what it sends to clients"):
            masked = not masked
        key = os.urandom(4)
        if wrong("keeps the client's key") and frame.key:
            key = frame.key
        if wrong("has one key for all"):
            key = b"\x01\x02\x03\x04"
        payload, opcode, rsv = frame.payload, frame.opcode, frame.rsv & RSV1
        form = 16 if len(payload) < 126 and wrong("sends lengths that are too long") else None
        fin = frame.fin
        if frame.opcode < 8 and len(payload) > 4096 and wrong("marks every fragment as compressed") and fin and rsv:
            self._write(to, frames.encode(opcode, payload[:2000], fin=False, rsv=rsv, masked=masked, key=key))
            payload, opcode = payload[2000:], CONTINUATION
        if len(payload) == 125 and wrong("sends long control frames") and opcode >= 8:
            payload += b"!"
        self._write(to, frames.encode(opcode, payload, fin=fin, rsv=rsv, masked=masked, key=key, length_form=form))

    def _write(self, to, data):
        try:
            self._sockets[to].sendall(data)
        except OSError:
            pass


def other(name):
    return APP if name == CLIENT else CLIENT


class ModelProxy(ListeningApp):
    """Listens for clients; `fault` names what it does wrong, and `was_wrong` says whether it came to that."""

    def __init__(self, app_url, fault=None, settings=None):
        super().__init__()
        self.lines, self._fault, self.was_wrong = [], fault, False
        self._app_address = ("127.0.0.1", int(app_url.rpartition(":")[2]))
        threading.Thread(target=self._accept_all, daemon=True).start()

    def client(self):
        return Client(self.address)

    def _wrong(self, what):
        if what != self._fault:
            return False
        self.was_wrong = True
        return True

    def _accept_all(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        received, app = bytearray(), connect_tcp(self._app_address)
        while (head := http_head.take_head(received)) is None:
            received += sock.recv(65536)
        app.sendall(http_head.request("/"))
        answer = bytearray()
        while http_head.take_head(answer) is None:
            answer += app.recv(65536)
        offer, fields, agreed = head.get("Sec-WebSocket-Extensions"), [], None
        if offer:
            if "client_max_window_bits" in offer and "client_max_window_bits=" not in offer:
                offer = offer.replace("client_max_window_bits", "client_max_window_bits=12")
            fields, agreed = [("Sec-WebSocket-Extensions", offer)], Agreed(offer)
        for each in (sock, app):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            each.settimeout(None)
        sock.sendall(http_head.answer_101(head.get("Sec-WebSocket-Key"), fields))
        try:
            Connection(sock, app, agreed, self._wrong).run(bytes(received))
        except Exception as error:  # a fault may break it: what its ends then see is what counts
            self.lines.append(repr(error))
        finally:
            sock.close()
            app.close()
