"""A WebSocket connection at the level of bytes, for both ends: blocking, with a deadline on every wait."""

import dataclasses
import os
import socket
import struct
import time

from . import frames

# Seconds; a wait that takes longer has failed.
DEADLINE = float(os.environ.get("WSPROXY_TEST_DEADLINE", "10"))


class Ended(Exception):
    """The peer closed or reset the TCP connection."""


@dataclasses.dataclass
class Message:
    opcode: int
    data: bytes  # inflated
    parts: list  # the frames as they came

    @property
    def compressed(self):
        return bool(self.parts[0].rsv & frames.RSV1)

    @property
    def wire_size(self):
        return sum(part.wire_size for part in self.parts)

    @property
    def text(self):
        return self.data.decode()


class Wire:
    """One end. `masks` is true for a client. Answers pings on its own unless told not to."""

    def __init__(self, sock, *, masks, received=b""):
        self.sock, self.masks = sock, masks
        self.buffer = bytearray(received)
        self.controls = []  # pings and pongs that came between messages
        self.answers_pings = True
        self.compressor = self.inflater = None
        sock.settimeout(DEADLINE)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # sending

    def send_bytes(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as gone:
            raise Ended("while sending") from gone

    def frame_bytes(self, opcode, payload=b"", **how):
        how.setdefault("masked", self.masks)
        return frames.encode(opcode, payload, **how)

    def send_frame(self, opcode, payload=b"", **how):
        self.send_bytes(self.frame_bytes(opcode, payload, **how))

    def message_bytes(self, data):
        """Text for str, binary for bytes; compressed when a compressor is set."""
        opcode, payload = (frames.TEXT, data.encode()) if isinstance(data, str) else (frames.BINARY, data)
        if self.compressor is None:
            return self.frame_bytes(opcode, payload)
        return self.frame_bytes(opcode, self.compressor.compress(payload), rsv=frames.RSV1)

    def send(self, data):
        self.send_bytes(self.message_bytes(data))

    def send_fragments(self, opcode, parts, *, rsv=0):
        for at, part in enumerate(parts):
            self.send_frame(opcode if at == 0 else frames.CONTINUATION, part, fin=at == len(parts) - 1,
                            rsv=rsv if at == 0 else 0)

    def send_close(self, code=None, reason=""):
        self.send_frame(frames.CLOSE, frames.close_payload(code, reason))

    # receiving

    def receive_some(self, deadline=DEADLINE):
        self.sock.settimeout(max(deadline, 0.001))
        try:
            data = self.sock.recv(1 << 18)
        except (ConnectionResetError, BrokenPipeError) as gone:
            raise Ended("reset") from gone
        finally:
            self.sock.settimeout(DEADLINE)
        if not data:
            raise Ended("end of file")
        self.buffer += data

    def read_frame(self, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while (frame := frames.take_frame(self.buffer)) is None:
            self.receive_some(end - time.monotonic())
        return frame

    def read_message(self, deadline=DEADLINE):
        """The next message, inflated. A close frame instead of it is an error of the test."""
        parts = []
        while not parts or not parts[-1].fin:
            frame = self.read_frame(deadline)
            if frame.opcode == frames.CLOSE:
                raise AssertionError(f"closed with {frames.close_parts(frame.payload)} instead of a message")
            if frame.is_control:
                self._take_control(frame)
            else:
                parts.append(frame)
        return self._message_of(parts)

    def _message_of(self, parts):
        assert parts[0].opcode in (frames.TEXT, frames.BINARY), parts[0]
        assert all(part.opcode == frames.CONTINUATION and part.rsv == 0 for part in parts[1:]), "bad fragments"
        assert all(part.length_is_minimal for part in parts), "length not minimal"
        data = b"".join(part.payload for part in parts)
        if parts[0].rsv:
            assert parts[0].rsv == frames.RSV1 and self.inflater is not None, f"reserved bits {parts[0].rsv}"
            data = self.inflater.inflate(data)
        return Message(parts[0].opcode, data, parts)

    def _take_control(self, frame):
        assert frame.fin and frame.rsv == 0 and len(frame.payload) <= 125, f"illegal control frame {frame}"
        self.controls.append(frame)
        if frame.opcode == frames.PING and self.answers_pings:
            self.send_frame(frames.PONG, frame.payload)

    def read_control(self, opcode, deadline=DEADLINE):
        """The next control frame of that kind; data in between is an error of the test."""
        while not any(frame.opcode == opcode for frame in self.controls):
            frame = self.read_frame(deadline)
            assert frame.is_control and frame.opcode != frames.CLOSE, f"unexpected {frame}"
            self._take_control(frame)
        return self.controls.pop(next(at for at, frame in enumerate(self.controls) if frame.opcode == opcode))

    def read_close(self, deadline=DEADLINE):
        """(code, reason) of the close frame; messages before it are dropped."""
        end = time.monotonic() + deadline
        while (frame := self.read_frame(end - time.monotonic())).opcode != frames.CLOSE:
            if frame.is_control:
                self._take_control(frame)
        return frames.close_parts(frame.payload)

    def read_to_end(self, deadline=DEADLINE):
        """Everything until the peer ends the connection."""
        end = time.monotonic() + deadline
        try:
            while True:
                self.receive_some(end - time.monotonic())
        except Ended:
            rest, self.buffer = bytes(self.buffer), bytearray()
            return rest

    def expect_silence(self, seconds):
        """Nothing comes for that long: also the clock of a test that is about the passing of time."""
        try:
            frame = self.read_frame(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"unexpected {frame}")

    def expect_end_without_close(self, deadline=DEADLINE):
        """The connection ends and no close frame came before."""
        rest = bytearray(self.read_to_end(deadline))
        while (frame := frames.take_frame(rest)) is not None:
            assert frame.opcode != frames.CLOSE, f"a close frame {frames.close_parts(frame.payload)}"

    # ending

    def answer_close(self, code=None):
        """The second half of a close that the peer began, down to the end of the connection."""
        self.send_close(code)
        self.read_to_end()
        self.close()

    def finish(self, code=1000, reason=""):
        """Our half of an orderly close, then the peer's."""
        self.send_close(code, reason)
        answer = self.read_close()
        self.close()
        return answer

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends with RST, as a process that dies with unread data does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
