"""4: reserved opcodes (RFC 6455 section 5.2)."""

from case import PING, TEXT, Case, Frame, all_ways, by_app, ping, text

RESERVED = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)


def cases():
    for opcode in RESERVED:
        area = f"4.{1 if opcode < 8 else 2}.{opcode}"
        bad, full = Frame(opcode), Frame(opcode, b"reserved opcode")
        yield Case(f"{area}.1", f"opcode {opcode} without payload", "5.2", (bad,), refused=1002)
        yield Case(f"{area}.2", f"opcode {opcode} with payload", "5.2", (full,), refused=1002)
        yield Case(f"{area}.3", f"a text, then opcode {opcode}, then a ping", "5.2",
                   (Frame(TEXT, b"Hello, world!"), bad, Frame(PING)), (text("Hello, world!"),), refused=1002)
        yield Case(f"{area}.4", f"a text and a ping, then opcode {opcode} with payload", "5.2",
                   (Frame(TEXT, b"Hello, world!"), Frame(PING, b"x"), full), (text("Hello, world!"), ping(b"x")), refused=1002)
        yield Case(f"{area}.5", f"opcode {opcode} as a first fragment", "5.2", (Frame(opcode, b"a", fin=False),), refused=1002)
        yield Case(f"{area}.6", f"opcode {opcode} between fragments", "5.2", (Frame(TEXT, b"a", fin=False), full), refused=1002)
        yield Case(f"{area}.7", f"opcode {opcode}, of which only the header comes", "5.2", (Frame(opcode, missing=100),), refused=1002)


CASES = [*all_ways(list(cases())), *by_app(all_ways(list(cases())))]

if __name__ == "__main__":
    from suite import main
    main("opcodes", CASES)
