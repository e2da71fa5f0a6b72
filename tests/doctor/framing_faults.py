"""Wrong framing (RFC 6455 section 5) and text (section 8.1)."""

import dataclasses

from harness import frames
from harness.frames import CLOSE, CONTINUATION, PING, PONG, RSV1, RSV2, RSV3, TEXT

from echo_server import Connection
from faults import closes_otherwise, drops, fails, goes_on, of_bad_frames, warns
from leaving import Closing, Gone


def pongs(answer):
    """`answer` makes the pong's payload of the ping's, or None for no pong."""
    def on_ping(self, payload):
        made = answer(payload)
        if made is not None:
            self.send_frame(PONG, made)
    return on_ping


def refuses_length(size, code=1002):
    """Closes at the first data frame of that length."""
    def judge_header(self, fin, rsv, opcode, masked, length):
        if opcode < CLOSE and length == size:
            raise Closing(frames.close_payload(code))
        Connection.judge_header(self, fin, rsv, opcode, masked, length)
    return judge_header


def echoes(change):
    def on_message(self, opcode, data):
        self.send_message(opcode, change(data))
    return on_message


def judges_data(wrong, how):
    """Does `how` at a data frame of which wrong(connection, fin, opcode, payload) is true."""
    def on_data(self, fin, compressed, opcode, payload):
        if wrong(self, fin, opcode, payload):
            how()
        Connection.on_data(self, fin, compressed, opcode, payload)
    return on_data


def drops_pings_inside(self, payload):
    if self.message is None:
        Connection.on_ping(self, payload)


def loses_message_at_ping(self, payload):
    Connection.on_ping(self, payload)
    if self.message is not None:
        self.message.data.clear()


def closes_at_ping_inside(self, payload):
    if self.message is not None:
        closes_otherwise()
    Connection.on_ping(self, payload)


def keeps_pings(self, payload):
    if self.message is None:
        return Connection.on_ping(self, payload)
    self.kept = [*getattr(self, "kept", []), payload]


def answers_kept_pings(self, opcode, data):
    for payload in getattr(self, "kept", []):
        Connection.on_ping(self, payload)
    self.kept = []
    Connection.on_message(self, opcode, data)


def needs_whole_frames(self):
    """Takes the first piece that comes for a frame."""
    if not self.buffer:
        self.receive()
    header = frames.header_of(self.buffer)
    if header is None or len(self.buffer) < header[5] + header[4] + 4:
        raise Gone
    return Connection.read_frame(self)


def decodes_each_fragment(self, fin, compressed, opcode, payload):
    """UTF-8 is of the message, not of the frame (section 8.1)."""
    try:
        payload.decode() if opcode in (TEXT, CONTINUATION) and not compressed else None
    except UnicodeDecodeError:
        raise Closing(frames.close_payload(1007)) from None
    Connection.on_data(self, fin, compressed, opcode, payload)


def looks_at_first_fragment(self, payload, fin):
    if len(self.message.data) == len(payload):
        Connection.check_text(self, payload, fin)


def refuses_four_bytes(self, payload, fin):
    if any(byte >= 0xF0 for byte in payload):
        closes_otherwise()
    Connection.check_text(self, payload, fin)


def replaces_bad_text(self, opcode, data):
    self.send_message(opcode, data.decode(errors="replace").encode() if opcode == TEXT else data)


def frames_changed(only=None, **how):
    """Its own frames of that opcode are written otherwise."""
    def send_frame(self, opcode, payload=b"", rsv=0, **given):
        changed = {**given, **how} if only is None or opcode in only else given
        self.write(frames.encode(opcode, payload, **{"rsv": rsv, **changed}))
    return send_frame


def length_form(form, at_most):
    def send_frame(self, opcode, payload=b"", **how):
        self.write(frames.encode(opcode, payload, length_form=form if len(payload) <= at_most else None, **how))
    return send_frame


def begins_with(*first):
    """Sends these frames, each (opcode, payload, how), right after the handshake."""
    def talk(self):
        for opcode, payload, how in first:
            self.write(frames.encode(opcode, payload, **how))
        Connection.talk(self)
    return talk


def answers_close_with(payload):
    def answer_close(self, given):
        raise Closing(payload)
    return answer_close


CONTROL = [
    fails("framing.ping", "answers none", on_ping=pongs(lambda payload: None)),
    fails("framing.ping", "the pong is empty", on_ping=pongs(lambda payload: b"")),
    fails("framing.ping", "the pong lacks the last byte", on_ping=pongs(lambda payload: payload[:-1])),
    fails("framing.ping", "the pong is in upper case", on_ping=pongs(lambda payload: bytes(byte ^ 0x20 for byte in payload))),
    fails("framing.ping", "no answer to an empty one", on_ping=pongs(lambda payload: payload or None)),
    fails("framing.ping", "no answer to one of 125 bytes", on_ping=pongs(lambda payload: payload if len(payload) < 125 else None)),
    fails("framing.pong", "drops the connection", on_pong=lambda self, payload: drops()),
    fails("framing.pong", "closes", on_pong=lambda self, payload: closes_otherwise()),
]

LENGTHS = [
    *(fails("framing.lengths", f"takes no message of {size}", judge_header=refuses_length(size)) for size in (0, 1, 125, 126, 65535, 65536)),
    warns("framing.lengths", "65536 is too long for it", judge_header=refuses_length(65536, 1009)),
    warns("framing.lengths", "126 is too long for it", judge_header=refuses_length(126, 1009)),
    fails("framing.lengths", "long echoes lack the last byte", on_message=echoes(lambda data: data[:-1] if len(data) > 125 else data)),
    fails("framing.lengths", "the echo is cut at 65535", on_message=echoes(lambda data: data[:65535])),
    fails("framing.lengths", "no echo of 65535", on_message=lambda self, opcode, data: len(data) == 65535 or self.send_message(opcode, data)),
]

FRAGMENTS = [
    fails("framing.fragments", "takes none", on_data=judges_data(lambda self, fin, opcode, payload: not fin, closes_otherwise)),
    fails("framing.fragments", "takes no empty one",
          on_data=judges_data(lambda self, fin, opcode, payload: not payload and (not fin or opcode == CONTINUATION), closes_otherwise)),
    fails("framing.fragments", "drops the connection in the middle",
          on_data=judges_data(lambda self, fin, opcode, payload: opcode == CONTINUATION, drops)),
    fails("framing.fragments", "forgets the first", on_data=judges_data(
        lambda self, fin, opcode, payload: opcode == CONTINUATION and self.message and self.message.data.clear(), drops)),
    fails("framing.control_between", "the ping ends the connection", on_ping=closes_at_ping_inside),
    fails("framing.control_between", "the ping loses the message", on_ping=loses_message_at_ping),
    fails("framing.control_between", "the ping is never answered", on_ping=drops_pings_inside),
    warns("framing.control_between", "the ping is answered after the message", on_ping=keeps_pings, on_message=answers_kept_pings),
    fails("framing.in_pieces", "takes no frame in pieces", read_frame=needs_whole_frames),
]

BAD_FRAMES = [
    *of_bad_frames("framing.unmasked", "unmasked"),
    *of_bad_frames("framing.reserved_bits", "rsv1", "rsv2", "rsv3"),
    *of_bad_frames("framing.reserved_opcodes", "opcode 3", "opcode 7", "opcode 11", "opcode 15"),
    *of_bad_frames("framing.control_size", "control size"),
    *of_bad_frames("framing.control_fragmented", "control fragmented"),
    *of_bad_frames("framing.continuation", "continuation"),
    *of_bad_frames("framing.interleaved", "interleaved"),
    *of_bad_frames("framing.top_bit", "top bit", can_be_ignored=False),
    fails("framing.top_bit", "takes the other bits, whatever they are", instead={"top bit": goes_on, "length form": goes_on}),
    *(dataclasses.replace(fault, status="warn") for fault in of_bad_frames("framing.minimal_length", "length form")),
    *of_bad_frames("framing.bad_utf8", "utf8"),
    fails("framing.bad_utf8", "takes surrogates", check_text=lambda self, payload, fin: payload.decode(errors="surrogatepass")),
    fails("framing.bad_utf8", "takes text that ends inside a character",
          check_text=lambda self, payload, fin: self.message.text.decode(payload)),
    fails("framing.bad_utf8", "looks at the first fragment only", check_text=looks_at_first_fragment),
    fails("framing.bad_utf8", "takes overlong forms",
          check_text=lambda self, payload, fin: Connection.check_text(self, payload.replace(b"\xc0\xaf", b"/"), fin)),
    fails("framing.bad_utf8", "replaces it", instead={"utf8": lambda: None}, on_message=replaces_bad_text),
    fails("framing.utf8", "knows no characters of four bytes", check_text=refuses_four_bytes),
    fails("framing.utf8", "looks at each fragment alone", on_data=decodes_each_fragment),
]

SEEN = "framing.server_frames"
OWN_FRAMES = [
    fails(SEEN, "masked", send_frame=frames_changed(masked=True)),
    fails(SEEN, "masked pongs", beside=("framing.ping",), send_frame=frames_changed({PONG}, masked=True)),
    *(fails(SEEN, f"RSV{number} is set", send_frame=frames_changed(rsv=bit)) for number, bit in ((1, RSV1), (2, RSV2), (3, RSV3))),
    fails(SEEN, "pongs with RSV1", beside=("framing.ping",), send_frame=frames_changed({PONG}, rsv=RSV1)),
    fails(SEEN, "pongs with RSV1 where it was agreed on", beside=("deflate",), send_frame=frames_changed({PONG}, rsv=RSV1)),
    fails(SEEN, "16 bits for small lengths", send_frame=length_form(16, 125)),
    fails(SEEN, "64 bits for lengths below 65536", send_frame=length_form(64, 65535)),
    fails(SEEN, "a ping of 126 bytes", talk=begins_with((PING, b"x" * 126, {}))),
    fails(SEEN, "a fragmented ping", talk=begins_with((PING, b"x", {"fin": False}))),
    fails(SEEN, "fragmented pongs", beside=("framing.ping",), send_frame=frames_changed({PONG}, fin=False)),
    fails(SEEN, "text that is not UTF-8", talk=begins_with((TEXT, b"caf\xe9", {}))),
    fails(SEEN, "text that ends inside a character", talk=begins_with((TEXT, b"caf\xc3", {}))),
    fails(SEEN, "a reserved opcode", talk=begins_with((5, b"x", {}))),
    fails(SEEN, "a continuation of nothing", talk=begins_with((CONTINUATION, b"x", {}))),
    fails(SEEN, "a message inside a message", talk=begins_with((TEXT, b"x", {"fin": False}), (TEXT, b"y", {}))),
    *(fails(SEEN, f"closes with {code}", beside=("closing.answer",), answer_close=answers_close_with(frames.close_payload(code)))
      for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)),
    fails(SEEN, "closes with one byte", beside=("closing.answer",), answer_close=answers_close_with(b"\x03")),
    fails(SEEN, "closes with a reason that is not UTF-8", beside=("closing.answer",), answer_close=answers_close_with(b"\x03\xe8\xff")),
]

FAULTS = [*CONTROL, *LENGTHS, *FRAGMENTS, *BAD_FRAMES, *OWN_FRAMES]
