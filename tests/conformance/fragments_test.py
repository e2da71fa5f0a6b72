"""5: fragments, and control frames between them (RFC 6455 section 5.4)."""

from case import BINARY, CONTINUATION, PING, PONG, TEXT, Case, Frame, all_ways, binary, by_app, closing, message, ping, pong, text

START, END = Frame(TEXT, b"fragment1", fin=False), Frame(CONTINUATION, b"fragment2")
MORE = Frame(CONTINUATION, b"fragment", fin=False)
BOTH = text("fragment1fragment2")


def split_everywhere():
    data = "größe 日🙂".encode()
    for at in range(len(data) + 1):
        yield Case(f"5.21.{at}", f"a text in two fragments, cut after {at} octets, with a ping there", "5.4",
                   message(TEXT, [data[:at], data[at:]], between=[Frame(PING, b"%d" % at)]), (ping(b"%d" % at), text(data)))


LEGAL = [
    Case("5.3", "a text in two fragments", "5.4", (START, END), (BOTH,)),
    Case("5.3.1", "a binary in three fragments", "5.4", message(BINARY, [b"\xff", b"\xfe\xfd", b"\xfc"]), (binary(b"\xff\xfe\xfd\xfc"),)),
    Case("5.3.2", "empty fragments at both ends and in the middle", "5.4", message(TEXT, [b"", b"a", b"", b"b", b""]), (text("ab"),)),
    Case("5.3.3", "nothing but empty fragments", "5.4", message(BINARY, [b""] * 5), (binary(b""),)),
    Case("5.3.4", "a fragment of each length form", "5.4", message(BINARY, [b"a" * 125, b"b" * 126, b"c" * 65535, b"d" * 65536, b"e"]),
         (binary(b"a" * 125 + b"b" * 126 + b"c" * 65535 + b"d" * 65536 + b"e"),)),
    Case("5.3.5", "a hundred fragments", "5.4", message(TEXT, [b"%d," % at for at in range(100)]), (text("".join(f"{at}," for at in range(100))),)),
    Case("5.6", "a ping between two fragments", "5.4", (START, Frame(PING, b"between"), END), (ping(b"between"), BOTH)),
    Case("5.6.1", "a pong between two fragments", "5.4", (START, Frame(PONG, b"between"), END), (pong(b"between"), BOTH)),
    Case("5.6.2", "a ping behind an empty first fragment", "5.4", message(TEXT, [b"", b"a"], between=[Frame(PING)]), (ping(), text("a"))),
    Case("5.6.3", "three pings between two fragments", "5.4", message(TEXT, [b"a", b"b"], between=[Frame(PING, b"%d" % at) for at in range(3)]),
         (ping(b"0"), ping(b"1"), ping(b"2"), text("ab"))),
    Case("5.6.4", "the largest ping between all of ten fragments", "5.4", message(BINARY, [b"x"] * 10, between=[Frame(PING, b"p" * 125)]),
         (ping(b"p" * 125),) * 9 + (binary(b"x" * 10),)),
    Case("5.19", "five fragments, pings behind the second and the fourth", "5.4",
         (START, MORE, Frame(PING, b"one"), MORE, MORE, Frame(PING, b"two"), END),
         (ping(b"one"), ping(b"two"), text("fragment1fragmentfragmentfragmentfragment2"))),
    Case("5.20.1", "a fragmented message behind another, and a whole one", "5.4", (START, END, *message(BINARY, [b"\x80", b"\x81"]), Frame(TEXT, b"z")),
         (BOTH, binary(b"\x80\x81"), text("z"))),
    *split_everywhere(),
]
ILLEGAL = [
    Case("5.1", "a ping in two fragments", "5.5", (Frame(PING, b"a", fin=False), END), refused=1002),
    Case("5.2", "a pong in two fragments", "5.5", (Frame(PONG, b"a", fin=False), END), refused=1002),
    Case("5.2.1", "a close frame in two fragments", "5.5", (closing(1000, fin=False), END), refused=1002),
    Case("5.2.2", "an empty ping without FIN inside a message", "5.5", (START, Frame(PING, fin=False)), refused=1002),
    Case("5.9", "a whole continuation of nothing", "5.4", (END,), refused=1002),
    Case("5.9.1", "an empty continuation of nothing", "5.4", (Frame(CONTINUATION),), refused=1002),
    Case("5.10", "a continuation of nothing, then a text", "5.4", (END, Frame(TEXT, b"a")), refused=1002),
    Case("5.12", "a continuation of nothing without FIN", "5.4", (MORE,), refused=1002),
    Case("5.15", "a continuation behind a finished message", "5.4", (START, END, MORE, END), (BOTH,), refused=1002),
    Case("5.15.1", "a continuation behind a whole message", "5.4", (Frame(BINARY, b"a"), END), (binary(b"a"),), refused=1002),
    Case("5.16", "a continuation without FIN, then a text", "5.4", (MORE, Frame(TEXT, b"a")), refused=1002),
    Case("5.18", "a text inside a text", "5.4", (START, Frame(TEXT, b"fragment2")), refused=1002),
    Case("5.18.1", "a first fragment inside a text", "5.4", (START, Frame(TEXT, b"fragment2", fin=False)), refused=1002),
    Case("5.18.2", "a binary inside a text", "5.4", (START, Frame(BINARY, b"fragment2")), refused=1002),
    Case("5.18.3", "an empty text inside a text of which nothing came", "5.4", (Frame(TEXT, fin=False), Frame(TEXT)), refused=1002),
    Case("5.18.4", "a text inside a text, with a ping between them", "5.4", (START, Frame(PING, b"x"), Frame(TEXT, b"a")), (ping(b"x"),), refused=1002),
]

CASES = [*all_ways(LEGAL), *all_ways(ILLEGAL), *by_app(all_ways(LEGAL)), *by_app(all_ways(ILLEGAL))]

if __name__ == "__main__":
    from suite import main
    main("fragments", CASES)
