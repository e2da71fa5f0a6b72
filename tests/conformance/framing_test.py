"""1: messages of every length form, text and binary, whole and chopped (RFC 6455 section 5.2)."""

from case import BINARY, CONTINUATION, PING, TEXT, Case, Frame, all_ways, binary, by_app, closing, text, varied

SIZES = (0, 1, 2, 125, 126, 127, 128, 255, 256, 65535, 65536, 65537)


def of_size(size):
    return (b"*0123456789abcde" * (size // 16 + 1))[:size]


def whole(area, opcode, event, name):
    return [Case(f"1.{area}.{at}", f"{name} of {size} octets", "5.2", (Frame(opcode, of_size(size)),), (event(of_size(size)),))
            for at, size in enumerate(SIZES, 1)]


def padded_lengths():
    """A length in more octets than it needs (5.2: the minimal number must be used)."""
    table = [(16, 0), (16, 1), (16, 125), (64, 0), (64, 125), (64, 126), (64, 65535)]
    for at, (form, size) in enumerate(table, 1):
        yield Case(f"1.3.{at}", f"{size} octets with a length of {form} bits", "5.2", (Frame(BINARY, of_size(size), form=form),), refused=1002)


def masks():
    """The other mask bit, and each kind of key."""
    for at, (name, opcode, payload) in enumerate([("text", TEXT, b"hello"), ("binary", BINARY, b"hello"), ("an empty text", TEXT, b""),
                                                  ("a ping", PING, b"")], 1):
        yield Case(f"1.4.{at}", f"{name} without a mask", "5.1", (Frame(opcode, payload, masked=False),), refused=1002)
    yield Case("1.4.5", "a close frame without a mask", "5.1", (closing(1000, masked=False),), refused=1002)
    yield Case("1.4.6", "a fragment without a mask behind one that has it", "5.1",
               (Frame(TEXT, b"a", fin=False), Frame(CONTINUATION, b"b", masked=False)), refused=1002)


def keys():
    data = bytes(range(256))
    for at, key in enumerate((bytes(4), b"\xff" * 4, b"\x00\x00\x00\x01", b"\x80\x00\x00\x00", b"\x00\xff\x00\xff"), 1):
        for size in (1, 3, 4, 5, 7, 8, 9, 31, 33, 256):
            yield Case(f"1.5.{at}.{size}", f"{size} octets under the key {key.hex()}", "5.3",
                       (Frame(BINARY, data[:size], key=key), Frame(BINARY, data[:size], key=key)), (binary(data[:size]),) * 2)


def lengths_that_never_come():
    """Judged at the header (5.2, 10.4): the payload is never sent."""
    for at, (name, length, code) in enumerate([("the top bit of the length", 1 << 63, 1002), ("all bits of the length", (1 << 64) - 1, 1002),
                                               ("the largest length", (1 << 63) - 1, 1009), ("one octet over the limit", (16 << 20) + 1, 1009)], 1):
        head = b"\xff" + length.to_bytes(8, "big")
        yield Case(f"1.6.{at}", name, "5.2", (b"\x82" + head + b"key!",), refused=code)


TEXTS = whole(1, TEXT, text, "text")
BINARIES = whole(2, BINARY, binary, "binary")
SMALL = [case for case in TEXTS + BINARIES if int(case.number.rpartition(".")[2]) < 10]
PADDED = list(padded_lengths())

CASES = [*all_ways(SMALL), *[case for case in TEXTS + BINARIES if case not in SMALL],
         *varied(TEXTS[9:] + BINARIES[9:], "chopped", pace=997),
         *varied(TEXTS[9:] + BINARIES[9:], "deflate", offer="permessage-deflate"),
         *by_app(all_ways(SMALL)), *by_app(TEXTS[9:] + BINARIES[9:]), *by_app(varied(TEXTS[9:] + BINARIES[9:], "chopped", pace=997)),
         *all_ways(PADDED), *by_app(all_ways(PADDED)), *all_ways(list(masks())), *keys(), *lengths_that_never_come(),
         Case("A1.4.1", "text with a mask", "5.1", (Frame(TEXT, b"hello", masked=True),), refused=1002, speaker="app"),
         Case("A1.4.2", "an empty binary with a mask", "5.1", (Frame(BINARY, masked=True),), refused=1002, speaker="app"),
         Case("A1.4.3", "a ping with a mask", "5.1", (Frame(PING, masked=True),), refused=1002, speaker="app"),
         Case("A1.4.4", "a close frame with a mask", "5.1", (closing(1000, masked=True),), refused=1002, speaker="app")]

if __name__ == "__main__":
    from suite import main
    main("framing", CASES)
