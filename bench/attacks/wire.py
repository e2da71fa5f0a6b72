"""Connections of an attacker: raw sockets, frames made before they are needed, no care for what comes back."""

import os
import socket
import ssl
import struct
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9
RSV1 = 0x40
KEY = b"\x01\x02\x03\x04"
MIB = 1 << 20


def frame(opcode, payload=b"", *, fin=True, rsv=0):
    """Masked with a key of zeros where the payload is large: an attacker need not be unpredictable."""
    first, size = (0x80 if fin else 0) | rsv | opcode, len(payload)
    if size < 126:
        return bytes([first, 0x80 | size]) + bytes(4) + payload
    if size < 65536:
        return bytes([first, 0x80 | 126]) + struct.pack("!H", size) + bytes(4) + payload
    return bytes([first, 0x80 | 127]) + struct.pack("!Q", size) + bytes(4) + payload


def deflated(pieces):
    """One compressed message of these pieces, without its tail."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    message = b"".join(deflater.compress(piece) for piece in pieces) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return message[:-4]


def connect(port, *, source=0, receive_buffer=None):
    one = socket.socket()
    if receive_buffer:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    one.bind((f"127.0.0.{source + 1}", 0))
    one.settimeout(5)
    one.connect(("127.0.0.1", port))
    return one


def over_tls(one):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(one)


def request(extra=b""):
    return (b"GET /attack HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: " + b"d3Nwcm94eSBhdHRhY2shIQ==" + b"\r\nSec-WebSocket-Version: 13\r\n" + extra + b"\r\n")


def upgraded(port, *, compressed=False, **how):
    """A connection behind its handshake."""
    one = connect(port, **how)
    one.sendall(request(b"Sec-WebSocket-Extensions: permessage-deflate\r\n" if compressed else b""))
    answer = b""
    while b"\r\n\r\n" not in answer:
        got = one.recv(4096)
        if not got:
            raise ConnectionError("no handshake")
        answer += got
    if not answer.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(answer.split(b"\r\n")[0].decode())
    return one


def reset(one):
    """Ends it by RST, so that no port stays in TIME_WAIT."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


def random_bytes(size):
    return os.urandom(size)
