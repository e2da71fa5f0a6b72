"""What the model makes of an end's octets: frames, held against the rules of RFC 6455."""

import codecs

from case import CLIENT
from model_deflate import Refused

from harness import frames
from harness.frames import BINARY, CLOSE, CONTINUATION, PONG, TEXT

LIMIT = 16 << 20


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
