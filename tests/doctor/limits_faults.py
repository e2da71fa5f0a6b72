"""Missing limits, and those that break what they should protect."""

import threading

from harness import frames
from harness.frames import CONTINUATION

from echo_server import Connection
from faults import drops, fails, falls_silent, warns
from leaving import Closing, Gone


def counting(attribute, most, how):
    """Does `how` when more than `most` have come."""
    def count(self):
        total = getattr(self, attribute, 0) + 1
        setattr(self, attribute, total)
        return how(self) if total > most else None
    return count


def at_many_fragments(how):
    count = counting("fragments", 1000, how)

    def on_data(self, fin, compressed, opcode, payload):
        if opcode == CONTINUATION:
            count(self)
        Connection.on_data(self, fin, compressed, opcode, payload)
    return on_data


def loses_late_pings(self, payload):
    self.pings = getattr(self, "pings", 0) + 1
    if self.pings <= 1000:
        Connection.on_ping(self, payload)


def swallows_bombs(self, payload, fin):
    """Inflates all of it and keeps the count only; a test need not have the memory that is not bounded."""
    for start in range(0, len(payload), 4096):
        self.inflater.feed(payload[start : start + 4096], 1 << 40)
    if fin:
        self.inflater.finish(1 << 40)
    return b""


def echoes_bombs(self, opcode, data):
    """Only the header of the echo, which announces more than the doctor keeps."""
    if self.terms is None:
        return Connection.on_message(self, opcode, data)
    self.write(bytes([0x80 | opcode, 127]) + (256 << 20).to_bytes(8, "big"))


def closes_at_many_pings(self, payload):
    self.pings = getattr(self, "pings", 0) + 1
    if self.pings > 1000:
        raise Closing(frames.close_payload(1008, "too many pings"))
    Connection.on_ping(self, payload)


def drops_at_many_pings(self, payload):
    self.pings = getattr(self, "pings", 0) + 1
    if self.pings > 1000:
        drops()
    Connection.on_ping(self, payload)


def waits_for_payload(self, fin, rsv, opcode, masked, length):
    if length <= self.max_message:
        Connection.judge_header(self, fin, rsv, opcode, masked, length)


class Hoard(Connection):
    """Reads on and keeps what the peer does not take; `spoil` changes what was kept."""

    def spoil(self, payload):
        return payload

    def write(self, data):
        if not hasattr(self, "kept"):
            self.kept, self.more, self.over = [], threading.Condition(), False
            self.writer = threading.Thread(target=self.write_kept, daemon=True)
            self.writer.start()
        with self.more:
            self.kept.append(data if len(self.kept) < 8 else self.spoil(data))
            self.more.notify()

    def write_kept(self):
        try:
            while True:
                with self.more:
                    self.more.wait_for(lambda: self.kept or self.over)
                    if not self.kept:
                        return
                    data = self.kept.pop(0)
                self.sock.sendall(data)
        except OSError:
            pass

    def end(self):
        self.flush()
        super().end()

    def serve(self):
        try:
            if self.open():
                self.talk()
        except (Gone, OSError):
            pass
        finally:
            self.flush()
            self.sock.close()

    def flush(self):
        if hasattr(self, "kept"):
            with self.more:
                self.over = True
                self.more.notify()
            self.writer.join()


def hoarding(**more):
    return {name: value for name, value in {**vars(Hoard), **more}.items() if not name.startswith("__")}


def spoiled(self, data):
    """One byte of the last ten is another."""
    return data[:-10] + bytes([data[-10] ^ 1]) + data[-9:] if len(data) > 200 else data


FAULTS = [
    warns("limits.header", "takes any", max_head=1 << 30),
    warns("limits.length", "waits for it", judge_header=waits_for_payload),
    warns("limits.message", "takes any", deep=True, timeout="5s", max_message=1 << 40),
    warns("limits.bomb", "takes any", deep=True, timeout="5s", inflate=swallows_bombs),
    # An echo without limits breaks no rule of framing.
    warns("limits.bomb", "echoes any", deep=True, timeout="5s", inflate=swallows_bombs, on_message=echoes_bombs,
          beside=("framing.server_frames",)),
    fails("limits.fragments", "the server dies of it", deep=True, on_data=at_many_fragments(lambda self: self.server.stop())),
    fails("limits.fragments", "says nothing any more", deep=True, on_data=at_many_fragments(lambda self: falls_silent())),
    warns("limits.pings", "closes at the thousandth", deep=True, on_ping=closes_at_many_pings),
    fails("limits.pings", "drops the connection at the thousandth", deep=True, on_ping=drops_at_many_pings),
    fails("limits.pings", "answers the first thousand", deep=True, on_ping=loses_late_pings),
    warns("limits.slow_head", "waits for it", deep=True, timeout="200ms", head_deadline=1000),
    warns("limits.slow_reader", "keeps what is not read", deep=True, timeout="2s", **hoarding()),
    fails("limits.slow_reader", "spoils what is not read", deep=True, timeout="2s", **hoarding(spoil=spoiled)),
]
