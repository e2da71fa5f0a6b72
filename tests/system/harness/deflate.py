"""permessage-deflate (RFC 7692) from both ends: a compressor, and an inflater that forgives nothing."""

import zlib

TAIL = b"\x00\x00\xff\xff"


def parse_extensions(header):
    """A well-formed Sec-WebSocket-Extensions as [(name, {parameter: value or None})]; raises on a repeat."""
    extensions = []
    for element in header.split(","):
        name, *parameters = [part.strip() for part in element.split(";")]
        if not name:
            raise ValueError(f"empty extension in {header!r}")
        found = {}
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if not key or key in found:
                raise ValueError(f"bad parameter {parameter!r} in {header!r}")
            found[key] = value.strip('"') if value else None
        extensions.append((name, found))
    return extensions


class Agreed:
    """The four parameters an answer stands for (section 7.1)."""

    def __init__(self, answer):
        [(name, parameters)] = parse_extensions(answer)
        if name != "permessage-deflate":
            raise ValueError(f"not permessage-deflate: {answer!r}")
        self.parameters = parameters
        self.server_bits = self._bits("server_max_window_bits")
        self.client_bits = self._bits("client_max_window_bits")
        self.server_takeover = "server_no_context_takeover" not in parameters
        self.client_takeover = "client_no_context_takeover" not in parameters

    def _bits(self, name):
        value = self.parameters.get(name, "15")
        if value is None or value not in [str(n) for n in range(8, 16)]:
            raise ValueError(f"{name} is {value!r}")
        return int(value)


class Compressor:
    """What a client does with its messages. zlib has no raw window of 8 bits; 9 stays within 250 bytes."""

    def __init__(self, bits=15, takeover=True, level=6):
        self._bits, self._takeover, self._level = max(bits, 9), takeover, level
        self._stream = None

    def compress(self, data):
        if self._stream is None or not self._takeover:
            self._stream = zlib.compressobj(self._level, zlib.DEFLATED, -self._bits)
        out = self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        assert out.endswith(TAIL)
        return out[:-4] or b"\x00"


class StrictInflater:
    """Fails when the sender refers back one byte further than the agreed window.

    zlib's inflate lets a distance reach into what the same call has produced, whatever the window is.
    Asked for one byte at a time it has only its window, so the limit is exact.
    """

    PIECE = 64  # the rest of the input is copied once a produced byte, so it is kept small

    def __init__(self, bits=15, takeover=True):
        self._bits, self._takeover = bits, takeover
        self._stream = None

    def inflate(self, data):
        if self._stream is None or not self._takeover:
            self._stream = zlib.decompressobj(-self._bits)
        out = bytearray()
        data += TAIL
        for start in range(0, len(data), self.PIECE):
            self._inflate_piece(data[start : start + self.PIECE], out)
        if self._stream.eof:
            self._stream = None  # BFINAL ends the stream; none of our senders goes on after one
        return bytes(out)

    def _inflate_piece(self, piece, out):
        while True:
            produced = self._stream.decompress(piece, 1)
            piece = self._stream.unconsumed_tail
            out += produced
            if not produced and not piece:
                return


class FastInflater:
    """For messages too large for StrictInflater."""

    def __init__(self, bits=15, takeover=True):
        self._bits, self._takeover = bits, takeover
        self._stream = None

    def inflate(self, data):
        if self._stream is None or not self._takeover:
            self._stream = zlib.decompressobj(-self._bits)
        return self._stream.decompress(data + TAIL)


class BlockWriter:
    """Writes deflate by hand (RFC 1951), to say things that zlib's compressor never says."""

    LENGTH_3 = 257  # the code of a match of three bytes; it has no extra bits

    def __init__(self):
        self._bits = []

    def _put(self, value, count):
        self._bits += [value >> i & 1 for i in range(count)]

    def _put_huffman(self, code, count):
        self._bits += [code >> i & 1 for i in reversed(range(count))]

    def _put_symbol(self, symbol):
        if symbol < 144:
            self._put_huffman(0x30 + symbol, 8)
        elif symbol < 256:
            self._put_huffman(0x190 + symbol - 144, 9)
        elif symbol < 280:
            self._put_huffman(symbol - 256, 7)
        else:
            self._put_huffman(0xC0 + symbol - 280, 8)

    def fixed(self, tokens, final=False):
        """A block of the fixed code; a token is a byte string or a distance (of a match of three bytes)."""
        self._put(int(final), 1)
        self._put(1, 2)
        for token in tokens:
            if isinstance(token, int):
                self._put_symbol(self.LENGTH_3)
                self._put_distance(token)
            else:
                for byte in token:
                    self._put_symbol(byte)
        self._put_symbol(256)
        return self._ended(final)

    def _put_distance(self, distance):
        base, extra = 1, 0
        for code in range(30):
            extra = max(0, code // 2 - 1)
            if distance < base + (1 << extra):
                self._put_huffman(code, 5)
                self._put(distance - base, extra)
                return
            base += 1 << extra
        raise ValueError(distance)

    def stored(self, data, final=False):
        self._put(int(final), 1)
        self._put(0, 2)
        self._align()
        self._put(len(data), 16)
        self._put(len(data) ^ 0xFFFF, 16)
        for byte in data:
            self._put(byte, 8)
        return self._ended(final)

    def _ended(self, final):
        if final:  # what comes next is a new stream, and streams are whole octets (7692 section 7.2.3.4)
            self._align()
        return self

    def _align(self):
        while len(self._bits) % 8:
            self._bits.append(0)

    def message(self):
        """The payload of a message: an empty stored block is opened, its four length octets left out."""
        self._put(0, 3)
        self._align()
        bits = self._bits
        return bytes(sum(bit << i for i, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8))
