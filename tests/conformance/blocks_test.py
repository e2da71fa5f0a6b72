"""15: each form that a compressed message may have (RFC 1951 section 3.2, RFC 7692 sections 6.1, 7.2), and those it may not."""

import random
import zlib

from case import BINARY, CONTINUATION, PING, PONG, TEXT, Case, Frame, binary, closing, message, ping, text

from harness.deflate import BlockWriter
from harness.frames import RSV1, RSV2, RSV3

PMD = "permessage-deflate"
SETTINGS = {"compression": {"history": "32KiB", "client_window_bits": 15}}
NOISE = random.Random(15).randbytes(1 << 17)
HELLO = b"Hello"


class OddBlocks(BlockWriter):
    """Also the longest match, and symbols that stand for nothing."""

    def fixed_symbols(self, literals, symbol, distance_code=None):
        self._put(0, 1)
        self._put(1, 2)
        for byte in literals:
            self._put_symbol(byte)
        self._put_symbol(symbol)
        if distance_code is not None:
            self._put_huffman(distance_code, 5)
        self._put_symbol(256)
        return self


def raw(data, **how):
    stream = zlib.compressobj(how.get("level", 6), zlib.DEFLATED, -how.get("bits", 15), 8, how.get("strategy", zlib.Z_DEFAULT_STRATEGY))
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def final(data):
    """A stream that zlib has ended with BFINAL, and the empty block that a message then still needs (7.2.3.4)."""
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush(zlib.Z_FINISH) + b"\x00"


LONG = b"every kind of block, " * 40 + NOISE[:300]

# number, what, section, [(payload, what it stands for)]
LEGAL = [
    ("15.1.1", "the RFC's first example", "7.2.3.1", [(bytes.fromhex("f248cdc9c90700"), HELLO)]),
    ("15.1.2", "the same text again, from the window", "7.2.3.2", [(bytes.fromhex("f248cdc9c90700"), HELLO), (bytes.fromhex("f200110000"), HELLO)]),
    ("15.1.3", "a block without compression", "7.2.3.3", [(bytes.fromhex("000500faff48656c6c6f00"), HELLO)]),
    ("15.1.4", "a block with BFINAL", "7.2.3.4", [(bytes.fromhex("f348cdc9c9070000"), HELLO)]),
    ("15.1.5", "two blocks in a message", "7.2.3.5", [(bytes.fromhex("f248050000 00ffff cac9c90700"), HELLO)]),
    ("15.1.6", "an empty message", "7.2.3.6", [(b"\x00", b"")]),
    ("15.2.1", "an empty message of an empty fixed block", "7.2.3.6", [(BlockWriter().fixed([]).message(), b"")]),
    ("15.2.3", "an empty message with BFINAL", "7.2.3.4", [(BlockWriter().fixed([], final=True).message(), b"")]),
    ("15.2.4", "a hundred empty messages and one that is not", "7.2.3.6", [(b"\x00", b"")] * 100 + [(raw(HELLO), HELLO)]),
    ("15.2.5", "a hundred empty blocks in a message", "7.2.1", [(b"\x00\x00\x00\xff\xff" * 99 + b"\x00", b"")]),
    ("15.3.1", "stored blocks of all sizes to 65535", "7.2.1",
     [(BlockWriter().stored(NOISE[:size]).message(), NOISE[:size]) for size in (1, 2, 31, 32, 255, 256, 4095, 4096, 32767, 32768, 32769)]),
    ("15.3.2", "a stored block of 65535", "7.2.1", [(raw(NOISE[:65535], level=0), NOISE[:65535])]),
    ("15.3.3", "stored blocks by zlib, 128 KiB", "7.2.1", [(raw(NOISE, level=0), NOISE)]),
    ("15.3.4", "a fixed block by zlib", "7.2.1", [(raw(LONG, strategy=zlib.Z_FIXED), LONG)]),
    ("15.3.5", "a dynamic block by zlib", "7.2.1", [(raw(LONG), LONG)]),
    ("15.3.6", "a dynamic block of literals only", "7.2.1", [(raw(LONG, strategy=zlib.Z_HUFFMAN_ONLY), LONG)]),
    ("15.3.7", "stored, fixed and stored in one message", "7.2.1",
     [(BlockWriter().stored(b"abc").fixed([b"def", 6]).stored(b"xyz").message(), b"abcdefabcxyz")]),
    ("15.3.8", "all octets in a fixed block", "7.2.1", [(BlockWriter().fixed([bytes(range(256))]).message(), bytes(range(256)))]),
    ("15.4.1", "BFINAL at the end of a dynamic block", "7.2.3.4", [(final(LONG), LONG), (raw(HELLO), HELLO)]),
    ("15.4.2", "BFINAL on a stored block", "7.2.3.4", [(BlockWriter().stored(HELLO, final=True).message(), HELLO)] * 3),
    ("15.4.3", "BFINAL in the middle of a message", "7.2.3.4", [(BlockWriter().fixed([b"ab"], final=True).fixed([b"cd"]).message(), b"abcd")]),
    ("15.4.4", "BFINAL on each of four blocks", "7.2.3.4",
     [(BlockWriter().fixed([b"a"], final=True).stored(b"b", final=True).fixed([b"c"], final=True).stored(b"d", final=True).message(), b"abcd")]),
    ("15.4.5", "BFINAL, then a match that reaches before it in the same message", "7.2.3.4",
     [(BlockWriter().fixed([b"Hello "], final=True).fixed([b"world", 11]).message(), b"Hello worldHel")]),
    ("15.4.6", "BFINAL, then a match in the next message that reaches before it", "7.2.3.4",
     [(BlockWriter().fixed([HELLO], final=True).message(), HELLO), (BlockWriter().fixed([5]).message(), b"Hel")]),
    ("15.4.7", "twenty messages that all end with BFINAL", "7.2.3.4", [(final(b"message %d" % at), b"message %d" % at) for at in range(20)]),
    ("15.5.1", "the shortest distance, which overlaps", "7.2.1", [(BlockWriter().fixed([b"a", 1, 1, 1]).message(), b"a" * 10)]),
    ("15.5.2", "the longest match", "7.2.1", [(OddBlocks().fixed_symbols(b"ab", 285, 1).message(), b"ab" + b"ab" * 129)]),
    ("15.5.3", "a match into the message before", "7.2.3.2", [(raw(HELLO), HELLO), (BlockWriter().fixed([5]).message(), b"Hel")]),
    ("15.5.4", "a match into the last but two, behind an empty one", "7.2.3.2",
     [(raw(HELLO), HELLO), (b"\x00", b""), (raw(b"x"), b"x"), (BlockWriter().fixed([6]).message(), b"Hel")]),
    ("15.5.5", "a match half of which is in the message before", "7.2.3.2", [(raw(b"ab"), b"ab"), (BlockWriter().fixed([b"c", 3]).message(), b"cabc")]),
]


def legal():
    for number, what, section, messages in LEGAL:
        said = [Frame(BINARY, payload, rsv=RSV1) for payload, _ in messages]
        heard = tuple(binary(meant) for _, meant in messages)
        yield Case(number, what, f"7692 {section}", said, heard, offer=PMD)
        yield Case(f"{number}+joined", what, f"7692 {section}", said, heard, offer=PMD, pace="joined")
        if len(b"".join(payload for payload, _ in messages)) < 3000:
            yield Case(f"{number}+chopped", what, f"7692 {section}", said, heard, offer=PMD, pace=1)
            parts = [frame for payload, _ in messages
                     for frame in message(BINARY, [b"", *(payload[at : at + 1] for at in range(len(payload))), b""], rsv=RSV1)]
            yield Case(f"{number}+fragments", what, f"7692 {section}", parts, heard, offer=PMD)


def windows():
    """The furthest that a client may refer back, in the next message and in the one after that."""
    for bits in range(8, 16):
        past, offer = NOISE[: 1 << bits], f"{PMD}; client_max_window_bits={bits}"
        reach = BlockWriter().fixed([1 << bits]).message()
        yield Case(f"15.6.{bits}.1", f"a reference over all of a window of {bits} bits", "7692 7.1.2.2",
                   [Frame(BINARY, BlockWriter().stored(past).message(), rsv=RSV1), Frame(BINARY, reach, rsv=RSV1)],
                   (binary(past), binary(past[:3])), offer=offer)
        yield Case(f"15.6.{bits}.2", f"the same behind twice as much, with a window of {bits} bits", "7692 7.1.2.2",
                   [Frame(BINARY, BlockWriter().stored(past[::-1]).message(), rsv=RSV1),
                    Frame(BINARY, BlockWriter().stored(past).message(), rsv=RSV1), Frame(BINARY, b"not compressed"), Frame(PING),
                    Frame(BINARY, reach, rsv=RSV1)],
                   (binary(past[::-1]), binary(past), binary(b"not compressed"), ping(), binary(past[:3])), offer=offer)
        yield Case(f"15.6.{bits}.3", f"a message of its own for each, window of {bits} bits, no takeover", "7692 7.1.1.2",
                   [Frame(BINARY, BlockWriter().stored(past).message(), rsv=RSV1), Frame(BINARY, reach, rsv=RSV1)],
                   (binary(past),), refused=1007, offer=f"{offer}; client_no_context_takeover")


def corrupt():
    """What does not inflate is data that does not fit its type: 1007 (7692 section 7.2.2, 6455 section 7.4.1)."""
    whole = raw(LONG)
    table = [
        ("a block of type 3", b"\x06\x00"), ("a block of type 3 with BFINAL", b"\x07\x00"),
        ("a stored block whose length does not match", b"\x00\x05\x00\x00\x00hello\x00"),
        ("a dynamic block with too many codes", b"\xfc\x1f\x00\x00\x00\x00\x00"), ("a dynamic block of nothing but ones", b"\x04" + b"\xff" * 40),
        ("a length symbol that is none", OddBlocks().fixed_symbols(b"abc", 286, 0).message()),
        ("another", OddBlocks().fixed_symbols(b"abc", 287, 0).message()),
        ("a distance code that is none", OddBlocks().fixed_symbols(b"abc", 257, 30).message()),
        ("another", OddBlocks().fixed_symbols(b"abc", 257, 31).message()),
        ("a reference where nothing was", BlockWriter().fixed([1]).message()),
        ("a reference before the first octet", BlockWriter().fixed([b"abc", 4]).message()),
        ("a reference 32768 back where 5 octets were", BlockWriter().fixed([HELLO, 32768]).message()),
        ("a dynamic block cut in half", whole[: len(whole) // 2]), ("a dynamic block without its last octets", whole[:-3]),
        ("a stored block that is cut", b"\x00\x05\x00\xfa\xffHel"),
        ("a stored block of which most is missing", b"\x00\x00\x10\xff\xefHel"),
        ("noise", b"\xff" * 100), ("zlib's wrapping", zlib.compress(LONG)),
        ("text", b"this was never compressed at all"),
    ]
    for at, (what, payload) in enumerate(table, 1):
        bad = Frame(BINARY, payload, rsv=RSV1)
        yield Case(f"15.7.{at}", what, "7692 7.2.2", (bad,), refused=1007, offer=PMD)
        yield Case(f"15.7.{at}+chopped", what, "7692 7.2.2", (bad,), refused=1007, offer=PMD, pace=1)
        yield Case(f"15.7.{at}+fragments", what, "7692 7.2.2", message(BINARY, [payload[:2], payload[2:]], rsv=RSV1), refused=1007, offer=PMD)
        yield Case(f"15.7.{at}+after", f"{what}, behind a message that is well", "7692 7.2.2", (Frame(TEXT, b"well"), bad), (text("well"),),
                   refused=1007, offer=PMD)


def bits():
    small = raw(HELLO)
    first = Frame(TEXT, small[:3], fin=False, rsv=RSV1)
    table = [
        ("on the last fragment too", [first, Frame(CONTINUATION, small[3:], rsv=RSV1)]),
        ("on the second fragment only", [Frame(TEXT, b"a", fin=False), Frame(CONTINUATION, small, rsv=RSV1)]),
        ("on a ping", [Frame(PING, small, rsv=RSV1)]), ("on a pong", [Frame(PONG, small, rsv=RSV1)]), ("on a close frame", [closing(1000, rsv=RSV1)]),
        ("on a ping between fragments", [first, Frame(PING, rsv=RSV1)]),
        ("with RSV2", [Frame(TEXT, small, rsv=RSV1 | RSV2)]), ("with RSV3", [Frame(TEXT, small, rsv=RSV1 | RSV3)]),
        ("on an unknown opcode", [Frame(3, small, rsv=RSV1)]),
    ]
    for at, (what, said) in enumerate(table, 1):
        yield Case(f"15.8.{at}", f"RSV1 {what}", "7692 6.1", said, refused=1002, offer=PMD)
    yield Case("15.8.20", "RSV1 where nothing was agreed", "7692 6", [Frame(TEXT, small, rsv=RSV1)], refused=1002)
    yield Case("15.8.21", "compressed and plain messages in turn", "7692 6.1",
               [frame for _ in range(20) for frame in (Frame(TEXT, small, rsv=RSV1), Frame(TEXT, b"plain"))], (text(HELLO), text("plain")) * 20, offer=PMD)


CASES = [*legal(), *windows(), *corrupt(), *bits()]

if __name__ == "__main__":
    from suite import main
    main("blocks", CASES, SETTINGS)
