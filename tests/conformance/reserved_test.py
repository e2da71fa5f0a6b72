"""3: reserved bits (RFC 6455 section 5.2, RFC 7692 section 6.1)."""

from case import BINARY, CONTINUATION, PING, PONG, TEXT, Case, Frame, all_ways, by_app, closing, text

FRAMES = {"a text": Frame(TEXT, b"hello"), "an empty text": Frame(TEXT), "a binary": Frame(BINARY, b"\x01\x02"), "a ping": Frame(PING, b"hello"),
          "a pong": Frame(PONG, b"hello"), "a close frame": closing(1000), "a first fragment": Frame(TEXT, b"a", fin=False)}


def cases():
    """Each value of the three bits on each kind of frame, after a message that is well."""
    for rsv in range(1, 8):
        for at, (name, frame) in enumerate(FRAMES.items(), 1):
            yield Case(f"3.{rsv}.{at}", f"{name} with reserved bits {rsv:03b}", "5.2",
                       (Frame(TEXT, b"before"), Frame(**{**vars(frame), "rsv": rsv})), (text(b"before"),), refused=1002)
        yield Case(f"3.{rsv}.8", f"a continuation with reserved bits {rsv:03b}", "5.2",
                   (Frame(TEXT, b"a", fin=False), Frame(CONTINUATION, b"b", rsv=rsv)), refused=1002)


def with_extension(case):
    """RSV1 on the first frame of a message says that it is compressed: no fault where that was agreed."""
    rsv, kind = (int(part) for part in case.number.partition("+")[0].split(".")[1:])
    return "deflate" not in case.number or rsv != 4 or kind in (4, 5, 6, 8)


CASES = [*filter(with_extension, all_ways(list(cases()))), *by_app(all_ways(list(cases())))]

if __name__ == "__main__":
    from suite import main
    main("reserved", CASES)
