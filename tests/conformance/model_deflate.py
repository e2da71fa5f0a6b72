"""The model's half of permessage-deflate (RFC 7692 section 7), as simple as zlib lets it be."""

import zlib

import case  # noqa: F401  it finds the harness

from harness.deflate import TAIL


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
