"""Wrong permessage-deflate after the handshake (RFC 7692 sections 6 and 7.2)."""

import zlib

from harness import frames
from harness.deflate import StrictInflater
from harness.frames import CONTINUATION, RSV1

from echo_server import Connection
from faults import closes_otherwise, drops, fails, of_bad_frames
from leaving import Closing
from server_deflate import TAIL, Compressor, Inflater


def at_compressed(matches, how):
    """Does `how` at a compressed message's frame whose payload matches."""
    def on_data(self, fin, compressed, opcode, payload):
        if (compressed or (opcode == CONTINUATION and self.message and self.message.compressed)) and matches(fin, opcode, payload):
            how()
        Connection.on_data(self, fin, compressed, opcode, payload)
    return on_data


def inflates_with(kind):
    return {"make_inflater": lambda self: kind(self)}


class Forgetful(Inflater):
    """Begins each message anew, whatever was agreed."""

    def __init__(self, connection):
        super().__init__(takeover=False)


class Narrow:
    """Looks back 512 bytes, whatever was agreed."""

    BITS = 9

    def __init__(self, connection):
        self._takeover = connection.terms.client_takeover
        self._inner, self._kept = StrictInflater(self.BITS, self._takeover), b""

    def begin(self):
        self._kept = b""

    def feed(self, data, room):
        self._kept += data
        return b""

    def finish(self, room):
        return self._inner.inflate(self._kept)


class Half(Narrow):
    """16 KiB: enough for most messages."""

    BITS = 14


class EndsAtFinalBlock(Inflater):
    """What comes after a final block is lost, in this message and in the next."""

    def __init__(self, connection):
        super().__init__(connection.terms.client_takeover)

    def feed(self, data, room):
        return b"" if self._stream.eof else self._stream.decompress(data)

    def finish(self, room):
        return self.feed(TAIL, room)


class RefusesFinalBlock(EndsAtFinalBlock):
    def finish(self, room):
        out = super().finish(room)
        if self._stream.eof:
            raise zlib.error("an end in the middle")
        return out


class EndsAtEveryFragment(Inflater):
    """Takes each frame for a whole compressed message."""

    def __init__(self, connection):
        super().__init__(connection.terms.client_takeover)

    def feed(self, data, room):
        return super().feed(data + TAIL if data != TAIL else data, room)

    def finish(self, room):
        return b""


def compresses_with(bits_for):
    """`bits_for` makes the window of what was agreed."""
    return {"make_compressor": lambda self: Compressor(bits_for(self.terms.server_bits), self.terms.server_takeover)}


def is_stored(fin, opcode, payload):
    """The first block is a stored one (RFC 1951 section 3.2.4) with something in it."""
    return opcode != CONTINUATION and len(payload) > 5 and payload[0] >> 1 & 3 == 0


def takes_plain_for_compressed(self, fin, compressed, opcode, payload):
    Connection.on_data(self, fin, compressed or (self.terms is not None and opcode != CONTINUATION), opcode, payload)


def inflates_to_nothing(self, payload, fin):
    plain = Connection.inflate(self, payload, fin)
    if not plain and not fin:
        raise Closing(frames.close_payload(1002, "an empty fragment"))
    return plain


def says_nothing_to_empty(self, opcode, data):
    if data:
        Connection.on_message(self, opcode, data)


def cuts_compressed(self, opcode, data):
    self.send_message(opcode, data[:-1] if self.terms is not None else data)


def closes_at_compressed_ping(self, payload):
    if self.message is not None and self.message.compressed:
        closes_otherwise()
    Connection.on_ping(self, payload)


def sends_cut_deflate(self, opcode, data):
    if self.terms is None:
        return self.send_frame(opcode, data)
    self.send_frame(opcode, self.compressor.compress(data)[:-1], rsv=RSV1)


def wide_answers_to(asked):
    return compresses_with(lambda bits: 15 if bits == asked else bits)


MESSAGES = [
    fails("deflate.message", "takes none", on_data=at_compressed(lambda fin, opcode, payload: True, closes_otherwise)),
    fails("deflate.message", "the echo lacks the last byte", on_message=cuts_compressed),
    fails("deflate.message", "the echo does not inflate", send_message=sends_cut_deflate),
    fails("deflate.takeover", "forgets the message before", **inflates_with(Forgetful)),
    fails("deflate.window", "looks back 512 bytes", **inflates_with(Narrow)),
    fails("deflate.window", "looks back 16 KiB", **inflates_with(Half)),
    fails("deflate.plain", "closes", on_data=lambda self, fin, compressed, opcode, payload: (
        closes_otherwise() if self.terms and not compressed and opcode != CONTINUATION
        else Connection.on_data(self, fin, compressed, opcode, payload))),
    fails("deflate.plain", "inflates it", on_data=takes_plain_for_compressed),
    fails("deflate.empty", "closes", on_data=at_compressed(lambda fin, opcode, payload: fin and len(payload) < 3, closes_otherwise)),
    fails("deflate.empty", "sends nothing back", on_message=says_nothing_to_empty),
    fails("deflate.final_block", "loses what comes after it", **inflates_with(EndsAtFinalBlock)),
    fails("deflate.final_block", "takes it for an error", **inflates_with(RefusesFinalBlock)),
    fails("deflate.stored", "closes", on_data=at_compressed(is_stored, closes_otherwise)),
    fails("deflate.stored", "drops the connection", on_data=at_compressed(is_stored, drops)),
    fails("deflate.fragments", "takes none", on_data=at_compressed(lambda fin, opcode, payload: not fin, closes_otherwise)),
    fails("deflate.fragments", "takes each for a message", **inflates_with(EndsAtEveryFragment)),
    fails("deflate.fragments", "takes none that inflates to nothing", inflate=inflates_to_nothing),
    fails("deflate.fragments", "the ping between ends the connection", on_ping=closes_at_compressed_ping),
]

BAD = [
    *of_bad_frames("deflate.rsv1_continuation", "rsv1 on continuation"),
    *of_bad_frames("deflate.rsv1_control", "rsv1 on control"),
    *of_bad_frames("deflate.corrupt", "corrupt"),
    *of_bad_frames("deflate.bad_utf8", "compressed utf8"),
]

OWN = [
    fails("deflate.server_window", "9 was asked for, its window is 15", **wide_answers_to(9)),
    fails("deflate.server_window", "10 was asked for, its window is 15", **wide_answers_to(10)),
    fails("deflate.server_window", "10 was asked for, its window is 11", **compresses_with(lambda bits: 11 if bits == 10 else bits)),
    fails("deflate.server_window", "9 was asked for, its window is 10", **compresses_with(lambda bits: 10 if bits == 9 else bits)),
    fails("deflate.server_takeover", "refers to the message before",
          make_compressor=lambda self: Compressor(self.terms.server_bits, takeover=True)),
]

FAULTS = [*MESSAGES, *BAD, *OWN]
