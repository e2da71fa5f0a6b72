"""2: pings and pongs (RFC 6455 sections 5.5.2 and 5.5.3)."""

from case import BINARY, PING, PONG, TEXT, Case, Frame, all_ways, binary, by_app, message, ping, pong, text

ALL = bytes(range(256))
PINGS = [
    Case("2.1", "a ping without payload", "5.5.2", (Frame(PING),), (ping(),)),
    Case("2.2", "a ping with text", "5.5.2", (Frame(PING, b"Hello, world!"),), (ping(b"Hello, world!"),)),
    Case("2.3", "a ping with octets that are no text", "5.5.2", (Frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),),
         (ping(b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),)),
    Case("2.4", "a ping of 125 octets", "5.5", (Frame(PING, b"\xfe" * 125),), (ping(b"\xfe" * 125),)),
    Case("2.5", "a ping of 126 octets", "5.5", (Frame(PING, b"\xfe" * 126),), refused=1002),
    Case("2.5.1", "a pong of 126 octets", "5.5", (Frame(PONG, b"\xfe" * 126),), refused=1002),
    Case("2.5.2", "a ping of 65536 octets", "5.5", (Frame(PING, bytes(65536)),), refused=1002),
    Case("2.5.3", "a ping of 5 octets with a length of 16 bits", "5.2", (Frame(PING, b"hello", form=16),), refused=1002),
    Case("2.5.4", "a ping of 5 octets with a length of 64 bits", "5.2", (Frame(PING, b"hello", form=64),), refused=1002),
    Case("2.5.5", "a ping of 126 octets, of which none comes", "5.5", (Frame(PING, missing=126),), refused=1002),
    Case("2.6", "a ping of 124 octets", "5.5.2", (Frame(PING, ALL[1:125]),), (ping(ALL[1:125]),)),
    Case("2.7", "an unasked pong without payload", "5.5.3", (Frame(PONG),), (pong(),)),
    Case("2.8", "an unasked pong with payload", "5.5.3", (Frame(PONG, b"unasked"),), (pong(b"unasked"),)),
    Case("2.8.1", "an unasked pong of 125 octets", "5.5.3", (Frame(PONG, ALL[131:]),), (pong(ALL[131:]),)),
    Case("2.9", "an unasked pong, then a ping", "5.5.3", (Frame(PONG, b"unasked"), Frame(PING, b"asked")), (pong(b"unasked"), ping(b"asked"))),
    Case("2.10", "ten pings", "5.5.2", [Frame(PING, b"payload-%d" % at) for at in range(10)], tuple(ping(b"payload-%d" % at) for at in range(10))),
    Case("2.11", "a hundred pings and as many texts between them", "5.5.2",
         [frame for at in range(100) for frame in (Frame(PING, b"%d" % at), Frame(TEXT, b"%d" % at))],
         tuple(event for at in range(100) for event in (ping(b"%d" % at), text(b"%d" % at)))),
    Case("2.12", "a ping behind an empty message", "5.5.2", (Frame(TEXT), Frame(PING, b"x")), (text(b""), ping(b"x"))),
    Case("2.13", "a ping between the fragments of a binary message", "5.4", message(BINARY, [b"\xff", b"\xfe"], between=[Frame(PING, b"x")]),
         (ping(b"x"), binary(b"\xff\xfe"))),
]

SAME_PING_TWICE = Case("2.14", "the same ping twice", "5.5.3", (Frame(PING, b"same"), Frame(PING, b"same")), (ping(b"same"), ping(b"same")))

CASES = [*all_ways([*PINGS, SAME_PING_TWICE]), *by_app(all_ways([*PINGS, SAME_PING_TWICE]))]

if __name__ == "__main__":
    from suite import main
    main("pings", CASES)
