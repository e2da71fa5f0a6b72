"""Octet sequences that are UTF-8 and that are not (RFC 3629; RFC 6455 section 8.1), by kind.

The Unicode tables are made here by arithmetic, so that no decoder of Python's or of the proxy's says what is right:
each group says itself whether its sequences are valid.
"""


def packed(point, length):
    """A code point in so many octets, whether that is the right number or not."""
    if length == 1:
        return bytes([point])
    tail = [0x80 | point >> 6 * at & 0x3F for at in reversed(range(length - 1))]
    lead = (0xFF << 8 - length) & 0xFF | point >> 6 * (length - 1)
    return bytes([lead, *tail])


def lonely(leads):
    """Each of these octets, with a space behind it."""
    return b"".join(bytes([lead, 0x20]) for lead in leads)


KOSME = b"\xce\xba\xcf\x8c\xcf\x83\xce\xbc\xce\xb5"
EDGES = [(1, 0x00), (2, 0x80), (3, 0x800), (4, 0x10000), (1, 0x7F), (2, 0x7FF), (3, 0xFFFF), (4, 0x10FFFF), (3, 0xD7FF), (3, 0xE000),
         (3, 0xFFFD), (2, 0xFF), (3, 0xFFF), (3, 0x1000), (3, 0xCFFF), (3, 0xD000), (4, 0x3FFFF), (4, 0x40000), (4, 0xFFFFF), (4, 0x100000)]
CONTINUATIONS = bytes(range(0x80, 0xC0))
INCOMPLETE = [packed(0x80, 2)[:-1], packed(0x800, 3)[:-1], packed(0x10000, 4)[:-1], packed(0, 5)[:-1], packed(0, 6)[:-1], packed(0x7FF, 2)[:-1],
              packed(0xFFFF, 3)[:-1], packed(0x10FFFF, 4)[:-1], packed(0x10FFFF, 4)[:-2], packed(0x10FFFF, 4)[:-3], packed(0x3FFFFFF, 5)[:-1],
              packed(0x7FFFFFFF, 6)[:-1]]
LOW, HIGH = (0xDC00, 0xDF80, 0xDFFF), (0xD800, 0xDB7F, 0xDB80, 0xDBFF)

# number: (what, whether valid, sequences)
GROUPS = {
    "6.5": ("Greek", True, [KOSME, *(KOSME[:at] for at in range(2, 10, 2))]),
    "6.6": ("Greek, cut inside a letter", False, [KOSME[:at] for at in range(1, 10, 2)]),
    "6.7": ("a code point at the edge of what a length or a rule allows", True, [packed(point, length) for length, point in EDGES]),
    "6.8": ("a first sequence of five or six octets", False, [packed(0x200000, 5), packed(0x4000000, 6)]),
    "6.9": ("every octet of ASCII", True, [bytes(range(128)), *(bytes([at]) for at in (0, 1, 0x0A, 0x0D, 0x20, 0x7F))]),
    "6.10": ("a last sequence of four, five or six octets", False, [packed(0x1FFFFF, 4), packed(0x3FFFFFF, 5), packed(0x7FFFFFFF, 6)]),
    "6.11": ("U+110000 and above", False, [packed(0x110000, 4), packed(0x13FFFF, 4), packed(0x140000, 4), b"\xf5\x80\x80\x80", b"\xf7\xbf\xbf\xbf"]),
    "6.12": ("continuation octets without a beginning", False,
             [b"\x80", b"\xbf", *((b"\x80\xbf" * 4)[:count] for count in range(2, 8)), CONTINUATIONS]),
    "6.13": ("beginnings, each with a space behind it", False,
             [lonely(range(0xC0, 0xE0)), lonely(range(0xE0, 0xF0)), lonely(range(0xF0, 0xF8)), lonely(range(0xF8, 0xFC)), lonely(range(0xFC, 0xFE))]),
    "6.14": ("sequences whose last octets are missing", False, INCOMPLETE),
    "6.15": ("all of these in a row", False, [b"".join(INCOMPLETE)]),
    "6.16": ("octets that are nowhere in UTF-8", False,
             [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff", *(bytes([lead]) + b"\x80" * 3 for lead in (0xC0, 0xC1, *range(0xF5, 0x100)))]),
    "6.17": ("a slash in too many octets", False, [packed(0x2F, length) for length in range(2, 7)]),
    "6.18": ("the largest of what is too long", False, [packed(0x7F, 2), packed(0x7FF, 3), packed(0xFFFF, 4), packed(0x1FFFFF, 5), packed(0x3FFFFFF, 6)]),
    "6.19": ("U+0000 in too many octets", False, [packed(0, length) for length in range(2, 7)]),
    "6.20": ("a lone surrogate", False, [packed(point, 3) for point in (*HIGH, *LOW)]),
    "6.21": ("a pair of surrogates", False, [packed(high, 3) + packed(low, 3) for high in (0xD800, 0xDB7F, 0xDB80, 0xDBFF) for low in (0xDC00, 0xDFFF)]),
    "6.22": ("a non-character, which is a code point as well as any", True,
             [packed(plane << 16 | last, 4 if plane else 3) for plane in range(17) for last in (0xFFFE, 0xFFFF)]
             + [packed(point, 3) for point in (0xFDD0, 0xFDDF, 0xFDEF)]),
    "6.23": ("what stands for something in text, but for nothing here", True,
             [b"\xef\xbb\xbf", b"\xef\xbb\xbftext", b"\xef\xbf\xbc", b"\xef\xbf\xbd", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"e\xcc\x81"]),
}


def sequences(valid):
    """(number, what, octets)"""
    for number, (what, is_valid, found) in GROUPS.items():
        if is_valid == valid:
            for at, data in enumerate(found, 1):
                yield f"{number}.{at}", what, data
