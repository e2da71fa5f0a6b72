"""6: text is UTF-8, however it is cut, and the first octet that is none ends the connection (RFC 6455 section 8.1)."""

import zlib

from case import APP, BINARY, CLIENT, CONTINUATION, TEXT, Case, Frame, all_ways, binary, close, closing, message, text, varied
from utf8_sequences import KOSME, packed, sequences

from harness.frames import RSV1, close_payload

PMD = "permessage-deflate"
GREETING = "Hello-µ@ßöäüàá-UTF-8!!".encode()
SURROGATE, EDITED, TOO_HIGH = packed(0xD800, 3), b"edited", packed(0x110000, 4)
RULE = "8.1"


def octets(data):
    return [data[at : at + 1] for at in range(len(data))]


def squeezed(data):
    stream = zlib.compressobj(6, zlib.DEFLATED, -12)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def is_cut_short(data):
    """Whether the only thing wrong is that it ends inside a character, so that more could mend it."""
    return data in MENDABLE


# Beginnings of what could be a character; all else is wrong at once. Written out, as no decoder is to say it.
MENDABLE = {*(KOSME[:at] for at in range(1, 10, 2)), b"\xc2", b"\xe0\xa0", b"\xf0\x90\x80", b"\xdf", b"\xef\xbf", b"\xf4\x8f\xbf", b"\xf4\x8f", b"\xf4"}

BASIC = [
    Case("6.1.1", "an empty text", RULE, (Frame(TEXT),), (text(""),)),
    Case("6.1.2", "an empty text in three fragments", RULE, message(TEXT, [b"", b"", b""]), (text(""),)),
    Case("6.1.3", "three fragments, of which the middle one has a letter", RULE, message(TEXT, [b"", b"\xc3\xa9", b""]), (text("é"),)),
    Case("6.2.1", "a text with letters of one and two octets", RULE, (Frame(TEXT, GREETING),), (text(GREETING),)),
    Case("6.2.2", "the same in two fragments, cut between two letters", RULE, message(TEXT, [GREETING[:12], GREETING[12:]]), (text(GREETING),)),
    Case("6.2.3", "the same in fragments of one octet", RULE, message(TEXT, octets(GREETING)), (text(GREETING),)),
    Case("6.2.4", "Greek in fragments of one octet", RULE, message(TEXT, octets(KOSME)), (text(KOSME),)),
    Case("6.3.1", "a surrogate in the middle", RULE, (Frame(TEXT, KOSME + SURROGATE + EDITED),), refused=1007),
    Case("6.3.2", "the same in fragments of one octet", RULE, message(TEXT, octets(KOSME + SURROGATE + EDITED)), refused=1007),
    # Fail-fast: what would finish the message is never sent.
    Case("6.4.1", "a second of three fragments is wrong", RULE, message(TEXT, [KOSME, TOO_HIGH, EDITED])[:2], refused=1007),
    Case("6.4.2", "it is wrong with its second octet", RULE, message(TEXT, [KOSME + b"\xf4", b"\x90", EDITED])[:2], refused=1007),
    Case("6.4.3", "an unfinished frame is wrong", RULE, (Frame(TEXT, KOSME + TOO_HIGH, missing=len(EDITED)),), refused=1007),
    Case("6.4.4", "an unfinished frame is wrong with the second octet of a letter", RULE, (Frame(TEXT, KOSME + b"\xf4\x90", missing=8),), refused=1007),
    Case("6.4.5", "an unfinished second fragment is wrong", RULE,
         (Frame(TEXT, KOSME, fin=False), Frame(CONTINUATION, TOO_HIGH, missing=8)), refused=1007),
    Case("6.4.6", "a letter begins in one message and ends in the next", RULE, (Frame(TEXT, b"\xc3"), Frame(TEXT, b"\xa9")), refused=1007),
    Case("6.4.7", "a letter is cut by the end of the last, empty fragment", RULE, message(TEXT, [b"\xe2\x82", b""]), refused=1007),
]


def valid():
    for number, what, data in sequences(True):
        yield Case(number, what, RULE, (Frame(TEXT, data), Frame(TEXT, b"a" + data + b"z")), (text(data), text(b"a" + data + b"z")))
        yield Case(f"{number}+fragments", what, RULE, message(TEXT, octets(data)), (text(data),))
        yield Case(f"{number}+squeezed", what, RULE, (Frame(TEXT, squeezed(data), rsv=RSV1),), (text(data),), offer=PMD)
        for at in range(1, min(len(data), 12)):
            yield Case(f"{number}+cut{at}", f"{what}, in two fragments", RULE, message(TEXT, [data[:at], data[at:]]), (text(data),))


def invalid():
    for number, what, data in sequences(False):
        yield Case(number, what, RULE, (Frame(TEXT, b"well"), Frame(TEXT, data)), (text("well"),), refused=1007)
        yield Case(f"{number}+tail", f"{what}, with text behind it", RULE, (Frame(TEXT, data + b"tail"),), refused=1007)
        yield Case(f"{number}+head", f"{what}, with text before it", RULE, (Frame(TEXT, b"text of more than sixteen octets" + data),), refused=1007)
        yield Case(f"{number}+fragments", what, RULE, message(TEXT, octets(data)), refused=1007)
        yield Case(f"{number}+squeezed", what, RULE, (Frame(TEXT, squeezed(data), rsv=RSV1),), refused=1007, offer=PMD)
        yield Case(f"{number}+binary", f"{what}, but as binary", "5.6", (Frame(BINARY, data),), (binary(data),))
        yield Case(f"{number}+reason", f"{what} as a close frame's reason", "5.5.1", (Frame(0x8, close_payload(1000, data)),), refused=1007)
        if not is_cut_short(data):
            yield Case(f"{number}+fast", f"{what}, in a frame that does not end", RULE, (Frame(TEXT, data, missing=20),), refused=1007)
            yield Case(f"{number}+fast-fragment", f"{what}, in a message that does not end", RULE,
                       (Frame(TEXT, b"a", fin=False), Frame(CONTINUATION, data, fin=False)), refused=1007)
            yield Case(f"{number}+fast-squeezed", f"{what}, in a squeezed message that does not end", RULE,
                       (Frame(TEXT, squeezed(data * 40) + b"\x00\x00\xff\xff", fin=False, rsv=RSV1),), refused=1007, offer=PMD)


def of_the_app():
    """What an app calls text is its client's to check; close reasons go out checked."""
    for number, what, data in sequences(True):
        yield Case(f"A{number}", what, RULE, message(TEXT, octets(data)), (text(data),), speaker=APP)
        yield Case(f"A{number}+deflate", what, RULE, message(TEXT, octets(data)), (text(data),), speaker=APP, offer=PMD)
    for number, what, data in sequences(False):
        yield Case(f"A{number}+binary", f"{what}, as binary", "5.6", (Frame(BINARY, data),), (binary(data),), speaker=APP)
        yield Case(f"A{number}+reason", f"{what} as a close frame's reason", "5.5.1", (Frame(0x8, close_payload(1000, data)),),
                   refused=1007, speaker=APP)


def reasons():
    for number, what, data in sequences(True):
        if len(data) <= 123:
            for speaker, letter in ((CLIENT, ""), (APP, "A")):
                yield Case(f"{letter}{number}+reason", f"{what} as a close frame's reason", "5.5.1", (closing(4000, data),),
                           (close(4000, data),), speaker=speaker)


INVALID = list(invalid())
WHOLE = [case for case in INVALID if "+" not in case.number]
CASES = [*all_ways(BASIC), *valid(), *INVALID, *varied(WHOLE, "chopped", pace=1), *varied(WHOLE, "deflate", offer=PMD),
         *of_the_app(), *reasons()]

if __name__ == "__main__":
    from suite import main
    main("utf8", CASES)
