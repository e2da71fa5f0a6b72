"""A small proxy in Python that keeps the rules, and can be told to break one: what the cases are tried on.

It knows nothing of wsproxy. Whole frames go on as they came; a compressed message goes on when it is whole. Each place
asks `wrong` whether its rule is the one to break.
"""

import os
import select
import socket
import threading
import zlib

from case import APP, CLIENT
from model_deflate import Deflater, Inflater, Refused
from model_reader import Side

from harness import Client, frames, http_head
from harness.app import ListeningApp, accept_each
from harness.client import connect_tcp
from harness.deflate import Agreed
from harness.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, TEXT, Frame


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
        threading.Thread(target=accept_each, args=(self._listener, self._serve), daemon=True).start()

    def client(self):
        return Client(self.address)

    def _wrong(self, what):
        if what != self._fault:
            return False
        self.was_wrong = True
        return True

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
