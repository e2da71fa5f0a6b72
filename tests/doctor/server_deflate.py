"""permessage-deflate from the server's side (RFC 7692): the answer to offers, the compressor, a bounded inflater."""

import re
import zlib

from harness import frames

from leaving import Closing

NAME = "permessage-deflate"
TAIL = b"\x00\x00\xff\xff"
WINDOW = 1 << 15


def split_quoted(text, separator):
    return [part.strip() for part in re.findall(rf'(?:"[^"]*"|[^"{separator}])+', text)]


def parse_offers(values):
    """[(name, [(parameter, value or None)])] of all the header's elements, duplicates kept."""
    offers = []
    for element in (one for value in values for one in split_quoted(value, ",") if one):
        name, *parameters = split_quoted(element, ";")
        pairs = [re.fullmatch(r"([^=\s]+)\s*(?:=\s*(.*))?", one) for one in parameters]
        offers.append((name, [(pair[1], pair[2].strip('"') if pair[2] is not None else None) if pair else ("", None) for pair in pairs]))
    return offers


class Terms:
    """What was agreed. zlib has no raw window of 8 bits, so an offer that insists on one is declined."""

    def __init__(self, parameters):
        found = dict(parameters)
        self.server_takeover = "server_no_context_takeover" not in found
        self.client_takeover = "client_no_context_takeover" not in found
        self.server_bits = bits_of(found.get("server_max_window_bits"))
        self.client_bits = bits_of(found.get("client_max_window_bits"))

    def answer(self):
        words = [NAME]
        words += ["server_no_context_takeover"] if not self.server_takeover else []
        words += ["client_no_context_takeover"] if not self.client_takeover else []
        words += [f"server_max_window_bits={self.server_bits}"] if self.server_bits < 15 else []
        words += [f"client_max_window_bits={self.client_bits}"] if self.client_bits < 15 else []
        return "; ".join(words)


def bits_of(value):
    """A number that zlib can do, whatever a broken server has let pass."""
    return min(max(int(value), 9), 15) if value and value.isdigit() else 15


class Deflate:
    """A mixin of Connection: section 7.1, and what `terms` stand for afterwards."""

    offers_deflate = True
    accepts_duplicates = False
    terms = None

    def negotiate(self, offers):
        """The header's value, or None. The first offer that can be granted is."""
        for name, parameters in parse_offers(offers):
            if self.offers_deflate and name == NAME and self.is_acceptable(parameters):
                self.terms = Terms(parameters)
                self.compressor, self.inflater = self.make_compressor(), self.make_inflater()
                return self.answer_to(parameters)
        return None

    def answer_to(self, parameters):
        asked = dict(parameters)
        answer = self.terms.answer()
        if "server_max_window_bits" in asked and "server_max_window_bits" not in answer:
            answer += "; server_max_window_bits=15"  # 7.1.2.1: an accepted offer's limit is confirmed
        return answer

    def is_acceptable(self, parameters):
        names = [name for name, _ in parameters]
        return (self.accepts_duplicates or len(names) == len(set(names))) and all(self.is_valid(*one) for one in parameters)

    def is_valid(self, name, value):
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            return value is None
        window = value is not None and re.fullmatch(r"[89]|1[0-5]", value)
        if name == "server_max_window_bits":
            return bool(window) and value != "8"
        return name == "client_max_window_bits" and bool(value is None or window)

    def make_compressor(self):
        return Compressor(self.terms.server_bits, self.terms.server_takeover)

    def make_inflater(self):
        return Inflater(self.terms.client_takeover)


class Compressor:
    def __init__(self, bits, takeover):
        self._bits, self._takeover, self._stream = bits, takeover, None

    def compress(self, data):
        if self._stream is None or not self._takeover:
            self._stream = zlib.compressobj(6, zlib.DEFLATED, -self._bits)
        out = self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return out[:-4] or b"\x00"


class Inflater:
    """Bears any window and a final block anywhere (section 7.2.3.4): what is behind it may refer to what was before."""

    PIECE = 1 << 16

    def __init__(self, takeover=True):
        self._takeover, self._history, self._stream = takeover, b"", zlib.decompressobj(-15)

    def begin(self):
        """A message begins."""
        if not self._takeover:
            self._history, self._stream = b"", zlib.decompressobj(-15)

    def feed(self, data, room):
        """At most `room` bytes; more is the end of the connection, long before they are held."""
        out = []
        while data or (self._stream.eof and self._stream.unused_data):
            if self._stream.eof:
                data = self._stream.unused_data or data
                self.after_final_block()
            produced = self._stream.decompress(data, min(room + 1, self.PIECE))
            data = self._stream.unconsumed_tail
            room -= len(produced)
            if room < 0:
                raise Closing(frames.close_payload(1009, "inflates to too much"))
            out.append(produced)
            self._history = (self._history + produced)[-WINDOW:]
        return b"".join(out)

    def after_final_block(self):
        self._stream = zlib.decompressobj(-15, zdict=self._history) if self._history else zlib.decompressobj(-15)

    def finish(self, room):
        """The message's last bytes. Raises zlib.error when it does not end where a block does."""
        out = self.feed(TAIL, room)
        probe = self._stream.copy()
        probe.decompress(b"\x03\x00")  # an empty final block: it ends the stream at a block's beginning only
        if not probe.eof:
            raise zlib.error("cut off inside a block")
        return out
