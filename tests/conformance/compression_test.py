"""12 and 13: permessage-deflate with every set of parameters, kind of payload and size (RFC 7692 section 7).

What clients send is compressed by Python's zlib, with all of the window that was agreed; what they get is inflated by an
inflater that has exactly that window and forgets when it was agreed. The proxy is told to refer back as far as it may.
"""

import zlib

import payloads
from case import BINARY, PING, TEXT, Case, Frame, binary, by_app, message, ping, text

from harness.frames import RSV1

PMD = "permessage-deflate"
SETTINGS = {"compression": {"history": "32KiB", "client_window_bits": 15}}
KIB = 1 << 10
# (octets, how many): a kind's messages are all different, and have much in common
SIZES = ((16, 60), (64, 60), (256, 40), (KIB, 20), (4 * KIB, 8), (8 * KIB, 5), (16 * KIB, 3), (32 * KIB, 2), (64 * KIB, 2), (128 * KIB, 1))
FRAGMENTED = ((8 * KIB, 256), (16 * KIB, 512), (32 * KIB, KIB), (64 * KIB, 4 * KIB), (128 * KIB, 8 * KIB))
KINDS = {1: ("JSON", TEXT, payloads.json_text), 2: ("an image", BINARY, payloads.picture), 3: ("prose", TEXT, payloads.prose),
         4: ("noise", BINARY, payloads.noise), 5: ("repeats", TEXT, payloads.repeats)}


class Squeezer:
    """A client's compressor with exactly the agreed parameters, in any of zlib's ways."""

    def __init__(self, agreed, level=6, memory=8, strategy=zlib.Z_DEFAULT_STRATEGY):
        # zlib has no raw window of 8 bits: blocks_test.py has that, by hand.
        self._how = level, zlib.DEFLATED, -agreed.client_bits, memory, strategy
        self._takeover, self._stream = agreed.client_takeover, None

    def __call__(self, data):
        if self._stream is None or not self._takeover:
            self._stream = zlib.compressobj(*self._how)
        return (self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def squeezed(opcode, messages, part=None, between=(), **how):
    """Frames for a client to say: each message compressed, in fragments of `part` octets if given."""
    def say(agreed):
        squeeze = Squeezer(agreed, **how)
        for data in messages:
            small = squeeze(data)
            step = part or len(small)
            yield from message(opcode, [small[at : at + step] for at in range(0, len(small), step)], rsv=RSV1, between=between)
    return say


def heard(opcode, messages):
    return tuple((text if opcode == TEXT else binary)(data) for data in messages)


def must_shrink(kind, size):
    """Noise goes as it is, and so do messages below compression.min_size. Small messages and images may be judged either way."""
    return False if kind == 4 or size < 32 else True if size >= KIB and kind != 2 else None


def kinds():
    offer = f"{PMD}; client_max_window_bits"
    for kind, (name, opcode, make) in KINDS.items():
        for at, (size, count) in enumerate(SIZES, 1):
            messages = [make(size, seed) for seed in range(count)]
            yield Case(f"12.{kind}.{at}", f"{count} messages of {size} octets of {name}", "7692 7.2", squeezed(opcode, messages),
                       heard(opcode, messages), offer=offer, compressed=must_shrink(kind, size))
            yield from by_app([Case(f"12.{kind}.{at}", f"{count} messages of {size} octets of {name}", "7692 7.2",
                                    [Frame(opcode, data) for data in messages], heard(opcode, messages), offer=offer, compressed=must_shrink(kind, size))])
        for at, (size, part) in enumerate(FRAGMENTED, 1 + len(SIZES)):
            messages = [make(size, seed) for seed in range(2)]
            name_of = f"2 messages of {size} octets of {name} in fragments of {part // 8}"
            yield Case(f"12.{kind}.{at}", name_of, "7692 6.1", squeezed(opcode, messages, part // 8), heard(opcode, messages), offer=offer)
            parts = [frame for data in messages for frame in message(opcode, [data[start : start + part] for start in range(0, size, part)])]
            yield from by_app([Case(f"12.{kind}.{at}", name_of, "7692 6.1", parts, heard(opcode, messages), offer=offer)])


def parameter_sets():
    """(number, server's window, client's window, extra parameters): each window of both with each takeover, and some unequal."""
    forgets = ("", "; server_no_context_takeover", "; client_no_context_takeover", "; server_no_context_takeover; client_no_context_takeover")
    windows = [(bits, bits) for bits in range(9, 16)] + [(9, 15), (15, 9), (8, 12)]
    for at, (server, client) in enumerate(windows):
        for forget_at, forget in enumerate(forgets, 1):
            yield 4 * at + forget_at, server, client, forget


def sets():
    for number, server, client, forget in parameter_sets():
        offer = f"{PMD}; server_max_window_bits={server}; client_max_window_bits={client}{forget}"
        agreed = (server, client, "server_no" not in forget, "client_no" not in forget)
        for at, (size, count) in enumerate(SIZES, 1):
            messages = [payloads.json_text(size, seed) for seed in range(count)]
            yield Case(f"13.{number}.{at}", f"{count} messages of {size} with windows {server} and {client}{forget}", "7692 7.1",
                       squeezed(TEXT, messages), heard(TEXT, messages), offer=offer, agreed=agreed, compressed=must_shrink(1, size))
        messages = [payloads.prose(3 * KIB, seed) for seed in range(3)]
        yield Case(f"13.{number}.11", f"fragments of one octet, windows {server} and {client}{forget}", "7692 6.1",
                   squeezed(TEXT, messages, 1), heard(TEXT, messages), offer=offer, agreed=agreed, pace="joined")
        pings = [Frame(PING, b"between")]
        yield Case(f"13.{number}.12", f"pings between fragments, windows {server} and {client}{forget}", "7692 6.1",
                   squeezed(TEXT, messages, 1500, between=pings),
                   squeezed_with_pings(messages, client, "client_no" not in forget), offer=offer, agreed=agreed)


def squeezed_with_pings(messages, bits, takeover):
    """How many fragments there are is how many pings the app must have seen before each message."""
    stream, events = None, ()
    for data in messages:
        if stream is None or not takeover:
            stream = zlib.compressobj(6, zlib.DEFLATED, -bits, 8)
        size = len(stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)) - 4
        events += (ping(b"between"),) * ((size - 1) // 1500) + (text(data),)
    return events


def ways():
    """zlib's levels and strategies, for each kind of block: 0 gives stored ones, Z_FIXED fixed ones, the rest mostly dynamic ones."""
    table = [{"level": 0}, {"level": 1}, {"level": 9}, {"strategy": zlib.Z_FIXED}, {"strategy": zlib.Z_HUFFMAN_ONLY}, {"strategy": zlib.Z_RLE},
             {"memory": 1}, {"level": 1, "memory": 9}]
    for at, how in enumerate(table, 1):
        for size_at, size in enumerate((1, 64, KIB, 16 * KIB, 128 * KIB), 1):
            for opcode, make, letter in ((TEXT, payloads.prose, "t"), (BINARY, payloads.picture, "b")):
                messages = [make(size, seed) for seed in range(3)]
                yield Case(f"14.{at}.{size_at}{letter}", f"3 messages of {size} by zlib with {how}", "7692 7.2.1", squeezed(opcode, messages, **how),
                           heard(opcode, messages), offer=PMD)


CASES = [*kinds(), *sets(), *ways()]

if __name__ == "__main__":
    from suite import main
    main("compression", CASES, SETTINGS)
