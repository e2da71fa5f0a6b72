"""ClientHellos made by hand (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2), to offer what no library offers."""

import struct

from .client import connect_tcp
from .tls_raw import alerts, records

X25519, P256 = 29, 23
FALLBACK, RENEGOTIATION = 0x5600, 0x00FF  # signals in the list of ciphers


def record(body, kind=22, version=0x0301, length=None):
    return struct.pack("!BHH", kind, version, len(body) if length is None else length) + body


def _sized(data, size=2):
    return len(data).to_bytes(size, "big") + data


def _codes(codes):
    return _sized(b"".join(struct.pack("!H", code) for code in codes))


def _extension(number, data):
    return struct.pack("!H", number) + _sized(data)


def hello_message(version=0x0303, ciphers=(0xC02B, 0xC02F), *, extensions=True, tls_1_3=False):
    """`extensions` are those without which no modern server goes on; tls_1_3 adds those of that version."""
    body = struct.pack("!H", version) + bytes(range(32)) + b"\0" + _codes(ciphers) + b"\1\0"
    if extensions:
        offered = (_extension(0, _sized(b"\0" + _sized(b"localhost"))) + _extension(10, _codes([X25519, P256])) + _extension(11, b"\1\0")
                   + _extension(13, _codes([0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0203, 0x0201])))
        if tls_1_3:
            offered += _extension(43, b"\2\3\4") + _extension(51, _sized(struct.pack("!H", X25519) + _sized(b"\x09" + bytes(31))))
        body += _sized(offered)
    return b"\1" + _sized(body, 3)


def answer_to_hello(port, *args, **how):
    """The cipher that the server chooses, and the alert that it sends instead: one of them is None."""
    sock = connect_tcp(("127.0.0.1", port))
    try:
        sock.sendall(record(hello_message(*args, **how)))
        said = b""
        while not (found := records(said)):
            data = sock.recv(65536)
            assert data, f"the connection ended after {said!r}"
            said += data
    finally:
        sock.close()
    kind, body = found[0]
    if kind == 21:
        return None, alerts(said)[0]
    assert kind == 22 and body[0] == 2, f"neither ServerHello nor alert: {said[:100]!r}"
    at = 4 + 2 + 32
    at += 1 + body[at]
    return int.from_bytes(body[at : at + 2], "big"), None
