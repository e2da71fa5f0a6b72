"""What real messages look like: five kinds, of any size, the same in each run."""

import json
import random

WORDS = "price order größe update status ok 日本 item customer balance shipped the of and warehouse 🙂 account".split()


def of_size(parts, size):
    """So many octets of text from these parts; a cut inside a letter is made good with spaces."""
    data, length = [], 0
    while length < size:
        part = next(parts)
        data.append(part)
        length += len(part)
    whole = b"".join(data)[:size].decode(errors="ignore").encode()
    return whole + b" " * (size - len(whole))


def json_text(size, seed=0):
    chance = random.Random(seed)

    def records():
        while True:
            yield json.dumps({"id": chance.randrange(10**6), "kind": chance.choice(WORDS), "price": round(chance.random() * 100, 2),
                              "tags": chance.choices(WORDS, k=3)}, ensure_ascii=False).encode() + b","
    return of_size(records(), size)


def prose(size, seed=0):
    chance = random.Random(seed)

    def sentences():
        while True:
            yield " ".join(chance.choices(WORDS, k=chance.randrange(4, 15))).capitalize().encode() + b". "
    return of_size(sentences(), size)


def picture(size, seed=0):
    """Rows that differ a little from the row above, as an image without compression."""
    chance = random.Random(seed)
    row = bytearray(chance.randbytes(48))
    rows = bytearray()
    while len(rows) < size:
        row[chance.randrange(48)] = chance.randrange(256)
        rows += row
    return bytes(rows[:size])


def noise(size, seed=0):
    return random.Random(seed).randbytes(size)


def repeats(size, seed=0):
    return of_size(iter([b"the same again, "] * (size // 16 + 1)), size)
