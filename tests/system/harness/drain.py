"""Reads what comes to one side as fast as it can and keeps only what a test asks about."""

import threading

from . import frames

PIECE = 1 << 20
SHORT = 100  # a frame up to this size is kept as the last one


class Drain:
    """Counts the payload of one side on a thread of its own; `tail` is the last short frame's payload.

    Nothing is unmasked or held but that frame, so that a quarter of a gigabyte takes no time and memory.
    """

    def __init__(self, wire):
        self._sock, self._buffer = wire.sock, bytearray(wire.buffer)
        self.size, self.tail = 0, b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            while self._take_frame():
                pass
        except OSError:
            pass

    def _more(self):
        data = self._sock.recv(PIECE)
        self._buffer += data
        return bool(data)

    def _take_frame(self):
        while (header := frames.header_of(self._buffer)) is None or len(self._buffer) < header[5] + 4 * header[3]:
            if not self._more():
                return False
        _, _, _, masked, left, start, _ = header
        payload_at = start + (4 if masked else 0)
        key = bytes(self._buffer[start:payload_at]) if masked else None
        del self._buffer[:payload_at]
        short = bytearray() if left <= SHORT else None
        while left:
            if not self._buffer and not self._more():
                return False
            taken = min(left, len(self._buffer))
            if short is not None:
                short += self._buffer[:taken]
            del self._buffer[:taken]
            self.size += taken
            left -= taken
        if short is not None:
            self.tail = frames.apply_mask(bytes(short), key) if masked else bytes(short)
        return True

    def at_end(self, deadline=10):
        """How much had come when the connection ended."""
        self._thread.join(deadline)
        assert not self._thread.is_alive(), "the connection did not end"
        return self.size
