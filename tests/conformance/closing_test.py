"""7: close frames: their forms, their codes, and what comes behind them (RFC 6455 sections 5.5.1 and 7)."""

from case import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Case, Frame, all_ways, binary, by_app, close, closing, message, ping, text, varied

VALID = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999)
# 1004 to 1006 and 1015 are never on the wire (7.4.1), the rest belongs to nobody (7.4.2).
INVALID = (0, 1, 125, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999, 5000, 5001, 32768, 65535)
LAST = closing(1000, b"enough")
ENDED = close(1000, b"enough")

BEHIND = [
    Case("7.1.1", "a text, then a close frame", "5.5.1", (Frame(TEXT, b"Hello World!"), LAST), (text("Hello World!"), ENDED)),
    Case("7.1.2", "two close frames", "5.5.1", (LAST, closing(1001)), (ENDED,)),
    Case("7.1.3", "a ping behind the close frame", "5.5.1", (LAST, Frame(PING, b"x")), (ENDED,)),
    Case("7.1.4", "a text behind the close frame", "5.5.1", (LAST, Frame(TEXT, b"Hello World!")), (ENDED,)),
    Case("7.1.5", "a close frame inside a fragmented message, then its end", "5.4",
         (Frame(TEXT, b"fragment1", fin=False), LAST, Frame(CONTINUATION, b"fragment2")), (ENDED,)),
    Case("7.1.6", "256 KiB, then close, then a ping", "5.5.1", (Frame(TEXT, b"BAsd7&jh23" * 26214), LAST, Frame(PING)), (text(b"BAsd7&jh23" * 26214), ENDED)),
    Case("7.1.7", "nonsense behind the close frame", "5.5.1", (LAST, Frame(3, b"x", rsv=7)), (ENDED,)),
    Case("7.1.8", "a pong and a binary behind the close frame", "5.5.1", (LAST, Frame(PONG), Frame(BINARY, b"\xff")), (ENDED,)),
    Case("7.1.9", "a fault behind the close frame", "5.5.1", (LAST, Frame(CONTINUATION)), (ENDED,)),
    Case("7.1.10", "a hundred texts, then a close frame", "5.5.1", [*(Frame(TEXT, b"%d" % at) for at in range(100)), LAST],
         (*(text(b"%d" % at) for at in range(100)), ENDED)),
    Case("7.1.11", "a ping, then a close frame", "5.5.1", (Frame(PING, b"last"), LAST), (ping(b"last"), ENDED)),
    Case("7.1.12", "a fragmented binary with a ping inside, then a close frame", "5.4",
         (*message(BINARY, [b"a", b"b"], between=[Frame(PING)]), LAST), (ping(), binary(b"ab"), ENDED)),
]
FORMS = [
    Case("7.3.1", "no payload", "5.5.1", (Frame(CLOSE),), (close(),)),
    Case("7.3.2", "half a code", "5.5.1", (Frame(CLOSE, b"\x03"),), refused=1002),
    Case("7.3.3", "a code and no reason", "5.5.1", (closing(1000),), (close(1000),)),
    Case("7.3.4", "a code and a reason", "5.5.1", (closing(1000, b"Hello World!"),), (close(1000, b"Hello World!"),)),
    Case("7.3.5", "the longest reason, 123 octets", "5.5.1", (closing(1000, b"*" * 123),), (close(1000, b"*" * 123),)),
    Case("7.3.6", "a reason of 124 octets", "5.5", (closing(1000, b"*" * 124),), refused=1002),
    Case("7.3.7", "a reason of 123 octets in letters of three", "5.5.1", (closing(1000, "日".encode() * 41),), (close(1000, "日".encode() * 41),)),
    Case("7.3.8", "a reason of 122 octets", "5.5.1", (closing(4000, b"*" * 122),), (close(4000, b"*" * 122),)),
    Case("7.3.9", "a length of 16 bits", "5.2", (closing(1000, b"bye", form=16),), refused=1002),
    Case("7.3.10", "no FIN", "5.5", (closing(1000, fin=False),), refused=1002),
    Case("7.3.11", "a reason with a U+0000 inside", "5.5.1", (closing(1000, b"a\x00b"),), (close(1000, b"a\x00b"),)),
    Case("7.3.12", "an announced reason of 200 octets that does not come", "5.5", (closing(1000, b"x", missing=199),), refused=1002),
    Case("7.5.1", "a reason with a surrogate in it", "5.5.1", (closing(1000, b"\xce\xba\xed\xa0\x80edited"),), refused=1007),
    Case("7.5.2", "a reason that is cut inside a letter", "5.5.1", (closing(1000, b"gr\xc3"),), refused=1007),
]


def codes():
    for code in VALID:
        yield Case(f"7.7.{code}", f"code {code}", "7.4", (closing(code),), (close(code),))
        yield Case(f"7.8.{code}", f"code {code} with a reason", "7.4", (closing(code, "größe".encode()),), (close(code, "größe".encode()),))
    for code in INVALID:
        yield Case(f"7.9.{code}", f"code {code}, which may not be sent", "7.4", (closing(code),), refused=1002)
        yield Case(f"7.13.{code}", f"code {code}, which may not be sent, with a reason", "7.4", (closing(code, b"reason"),), refused=1002)


CODES = list(codes())
CASES = [*all_ways(BEHIND), *all_ways(FORMS), *CODES, *varied(CODES, "deflate", offer="permessage-deflate"),
         *by_app(all_ways(BEHIND)), *by_app(all_ways(FORMS)), *by_app(CODES), *by_app(varied(CODES, "deflate", offer="permessage-deflate"))]

if __name__ == "__main__":
    from suite import main
    main("closing", CASES)
