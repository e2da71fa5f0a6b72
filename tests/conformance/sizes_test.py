"""9: large messages up to the limit of 16 MiB: whole, in fragments, in small pieces of TCP; and many small ones (5.4, 10.4)."""

import random

from case import BINARY, TEXT, Case, Frame, binary, by_app, message, text, varied

KIB, MIB = 1 << 10, 1 << 20
PMD = "permessage-deflate"
CHANCE = random.Random(9)
NOISE = CHANCE.randbytes(16 * MIB + 1)
LINE = "".join(CHANCE.choices("order price größe 日本 🙂 {}:,0123456789", k=40_000)).encode()


def letters(size):
    """Text without a repetition that is near; a cut inside a letter is made good with plain ones."""
    data = (LINE * (size // len(LINE) + 1))[:size].decode(errors="ignore").encode()
    return data + b"x" * (size - len(data))


KINDS = ((TEXT, text, letters, "text", 1), (BINARY, binary, lambda size: NOISE[:size], "binary", 2))


def whole():
    for opcode, event, make, name, area in KINDS:
        for at, size in enumerate((64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB), 1):
            yield Case(f"9.{area}.{at}", f"{name} of {size // KIB} KiB", "5.2", (Frame(opcode, make(size)),), (event(make(size)),))


def fragmented():
    for opcode, event, make, name, area in KINDS:
        for at, (size, part) in enumerate([(256 * KIB, 64), (MIB, 256), (MIB, KIB), (4 * MIB, 4 * KIB), (4 * MIB, 16 * KIB), (4 * MIB, 64 * KIB),
                                           (4 * MIB, 256 * KIB), (4 * MIB, MIB), (16 * MIB, 4 * MIB)], 1):
            data = make(size)
            parts = [data[start : start + part] for start in range(0, size, part)]
            yield Case(f"9.{area + 2}.{at}", f"{name} of {size // KIB} KiB in fragments of {part}", "5.4", message(opcode, parts), (event(data),))


def chopped():
    for opcode, event, make, name, area in KINDS:
        for at, piece in enumerate((64, 128, 256, 512, KIB, 2 * KIB), 1):
            data = make(MIB)
            yield Case(f"9.{area + 4}.{at}", f"{name} of 1 MiB in pieces of {piece}", "5.2", (Frame(opcode, data),), (event(data),), pace=piece)


def many():
    for opcode, event, make, name, area in KINDS:
        for at, size in enumerate((0, 16, 64, 256, KIB, 4 * KIB), 1):
            data = make(size)
            yield Case(f"9.{area + 6}.{at}", f"a thousand {name} messages of {size}", "5.2", [Frame(opcode, data)] * 1000, (event(data),) * 1000, pace="joined")


def limits():
    data = NOISE[: 16 * MIB]
    yield Case("9.9.1", "a message of 16 MiB, and another", "10.4", (Frame(BINARY, data), Frame(BINARY, data[:9])), (binary(data), binary(data[:9])))
    yield Case("9.9.2", "one octet more, refused at its header", "10.4", (Frame(BINARY, NOISE[:100], missing=16 * MIB - 99),), refused=1009)
    yield Case("9.9.3", "one octet more in a second fragment, refused at its header", "10.4",
               (Frame(BINARY, data, fin=False), Frame(0, b"", missing=1)), refused=1009)
    yield Case("9.9.4", "16 MiB in two fragments and an empty third", "10.4", message(BINARY, [data[: 8 * MIB], data[8 * MIB :], b""]), (binary(data),))


WHOLE, FRAGMENTED, CHOPPED, MANY = list(whole()), list(fragmented()), list(chopped()), list(many())
CASES = [*WHOLE, *FRAGMENTED, *CHOPPED, *MANY, *limits(), *varied(WHOLE[:3] + WHOLE[6:9], "deflate", offer=PMD),
         *varied(FRAGMENTED[1:4], "deflate", offer=PMD), *varied(MANY, "deflate", offer=PMD),
         *by_app(WHOLE), *by_app(FRAGMENTED), *by_app(CHOPPED), *by_app(MANY),
         *by_app(varied(WHOLE[:4] + WHOLE[6:10], "deflate", offer=PMD)), *by_app(varied(FRAGMENTED[:4] + FRAGMENTED[9:13], "deflate", offer=PMD)),
         *by_app(varied(MANY, "deflate", offer=PMD))]

if __name__ == "__main__":
    from suite import main
    main("sizes", CASES)
