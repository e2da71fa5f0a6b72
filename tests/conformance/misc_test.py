"""10: what is in no other table: cutting by the sender, order, mixtures (RFC 6455 sections 5.4 and 5.6)."""

import random

from case import BINARY, PING, PONG, TEXT, Case, Frame, all_ways, binary, by_app, message, ping, pong, text

PMD = "permessage-deflate"


def cut(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def conversation(seed, length):
    """Messages whole and in fragments, with control frames anywhere, and what they come to."""
    chance = random.Random(seed)
    said, heard = [], []
    for at in range(length):
        kind = chance.randrange(6)
        data = (f"{at}:" + "größe 日本 🙂 " * chance.choice((0, 1, 9, 20, 700))).encode()
        if kind < 2:
            said.append(Frame(PING if kind else PONG, data[:125]))
            heard.append((ping if kind else pong)(data[:125]))
            continue
        opcode, event = (TEXT, text) if kind < 4 else (BINARY, binary)
        parts = cut(data, chance.randrange(1, len(data) + 1)) if kind % 2 and len(data) < 2000 else [data]
        said += message(opcode, parts, between=[Frame(PING, b"%d" % at)] if kind == 3 else ())
        heard += [ping(b"%d" % at)] * (len(parts) - 1 if kind == 3 else 0) + [event(data)]
    return tuple(said), tuple(heard)


MIXED = [Case(f"10.3.{seed}", f"a conversation by chance, seed {seed}", "5.4", *conversation(seed, 60)) for seed in range(1, 13)]
OTHER = [
    Case("10.1.1", "a text of 65536 octets in fragments of 1300", "5.4", message(TEXT, cut(b"*" * 65536, 1300)), (text(b"*" * 65536),)),
    Case("10.1.2", "a binary of 65536 octets in fragments of 1300, a ping between all", "5.4",
         message(BINARY, cut(b"\xfe" * 65536, 1300), between=[Frame(PING)]), (ping(),) * 50 + (binary(b"\xfe" * 65536),)),
    Case("10.2.1", "every octet in a binary message, every length to 256", "5.6", [Frame(BINARY, bytes(range(256))[:size]) for size in range(257)],
         tuple(binary(bytes(range(256))[:size]) for size in range(257))),
    Case("10.2.2", "texts and binaries in turn", "5.6", [Frame(TEXT if at % 2 else BINARY, b"%d" % at) for at in range(300)],
         tuple((text if at % 2 else binary)(b"%d" % at) for at in range(300))),
    Case("10.2.3", "a thousand empty messages", "5.6", [Frame(TEXT if at % 2 else BINARY) for at in range(1000)],
         tuple((text if at % 2 else binary)(b"") for at in range(1000))),
    Case("10.2.4", "what looks like frames, as payload", "5.6", (Frame(BINARY, Frame(8, b"\x03\xe8").encoded("client") * 9),),
         (binary(Frame(8, b"\x03\xe8").encoded("client") * 9),)),
]
CASES = [*all_ways(OTHER), *all_ways(MIXED), *by_app(all_ways(OTHER)), *by_app(all_ways(MIXED))]

if __name__ == "__main__":
    from suite import main
    main("misc", CASES)
