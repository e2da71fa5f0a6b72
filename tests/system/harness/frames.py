"""A frame codec of our own (RFC 6455 section 5.2) that shows every bit and can write every wrong one."""

import dataclasses
import os
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
RSV1, RSV2, RSV3 = 4, 2, 1


@dataclasses.dataclass
class Frame:
    fin: bool
    rsv: int
    opcode: int
    payload: bytes
    key: bytes | None  # None: not masked
    length_is_minimal: bool
    wire_size: int

    @property
    def is_control(self):
        return self.opcode >= 0x8


def apply_mask(payload, key):
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")).to_bytes(len(payload), "little")


def encode(opcode, payload=b"", *, fin=True, rsv=0, masked=False, key=None, length_form=None):
    """One frame. `length_form` of 7, 16 or 64 forces that many bits, however small the payload is."""
    size = len(payload)
    if length_form is None:
        length_form = 7 if size < 126 else 16 if size < 65536 else 64
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if length_form == 7:
        head += bytes([mask_bit | size])
    elif length_form == 16:
        head += bytes([mask_bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mask_bit | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    key = os.urandom(4) if key is None else key
    return head + key + apply_mask(payload, key)


def header_of(buffer):
    """(fin, rsv, opcode, masked, payload length, header length without key, form) or None if cut short."""
    if len(buffer) < 2:
        return None
    first, second = buffer[0], buffer[1]
    length, size, form = second & 0x7F, 2, 7
    if length == 126:
        if len(buffer) < 4:
            return None
        length, size, form = struct.unpack("!H", buffer[2:4])[0], 4, 16
    elif length == 127:
        if len(buffer) < 10:
            return None
        length, size, form = struct.unpack("!Q", buffer[2:10])[0], 10, 64
    return bool(first & 0x80), first >> 4 & 7, first & 0xF, bool(second & 0x80), length, size, form


def take_frame(buffer):
    """Removes one frame from the bytearray, or returns None and leaves it as it is."""
    header = header_of(buffer)
    if header is None:
        return None
    fin, rsv, opcode, masked, length, size, form = header
    total = size + (4 if masked else 0) + length
    if len(buffer) < total:
        return None
    key = bytes(buffer[size : size + 4]) if masked else None
    payload = bytes(buffer[total - length : total])
    del buffer[:total]
    smallest = 7 if length < 126 else 16 if length < 65536 else 64
    return Frame(fin, rsv, opcode, apply_mask(payload, key) if masked else payload, key, form == smallest, total)


def close_payload(code=None, reason=""):
    if code is None:
        return b""
    return struct.pack("!H", code) + (reason if isinstance(reason, bytes) else reason.encode())


def close_parts(payload):
    """(code, reason) of a close frame; the code is None when there is none."""
    if not payload:
        return None, ""
    return struct.unpack("!H", payload[:2])[0], payload[2:].decode()
