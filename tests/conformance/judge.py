"""Plays a case through a proxy and says everything that is wrong with what came out on either side."""

import codecs
import queue
import socket
import threading
import time

from case import APP, CLIENT, CLIENT_KEY, CUT, CUT_INSIDE, GOODBYE, KINDS, Event, Frame

from harness import DEADLINE, Ended, ManualApp, frames
from harness.deflate import FastInflater, StrictInflater
from harness.frames import CLOSE, CONTINUATION, PING, TEXT

LEGAL_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}  # 6455 section 7.4.2


class FrameRules:
    """What one end may be sent (6455 sections 5.1 to 5.6, 7.4, 8.1; 7692 section 6.1): collects what breaks a rule."""

    def __init__(self, *, masked, inflater=None):
        self._masked, self._inflater = masked, inflater
        self.faults, self.events, self.compressed = [], [], []
        self._parts, self._first, self._checker, self._last_key = [], None, None, None
        self.closed = False

    def take(self, frame):
        """The event that the frame completes, if any."""
        self._check_header(frame)
        if self.closed:
            self.faults.append(f"5.5.1: a frame after the close frame: {frame}")
        event = self._control(frame) if frame.is_control else self._data(frame)
        if event:
            self.events.append(event)
        return event

    def finish(self, rest):
        """The connection has ended; `rest` is a frame that came in part."""
        if self.closed and rest:
            self.faults.append(f"5.5.1: octets after the close frame: {bytes(rest[:20])!r}")
        header = frames.header_of(rest)
        if header and not self.closed and header[2] in (TEXT, CONTINUATION):
            fin, rsv, opcode, masked, _, size, _ = header
            key = bytes(rest[size : size + 4]) if masked else None
            payload = bytes(rest[size + (4 if masked else 0) :])
            if key is None or len(key) == 4:
                payload = frames.apply_mask(payload, key) if masked else payload
                self._data(frames.Frame(False, rsv, opcode, payload, key, True, 0))
        if not self.closed:
            self.events.append(CUT_INSIDE if rest else CUT)

    def _check_header(self, frame):
        if self._masked and frame.key is None:
            self.faults.append(f"5.1: not masked: {frame}")
        if not self._masked and frame.key is not None:
            self.faults.append(f"5.1: masked: {frame}")
        # Four octets of chance: one repeat in a row is a repeat, one among many may be chance.
        if frame.key is not None and frame.key in (self._last_key, CLIENT_KEY):
            self.faults.append(f"5.3: the masking key is not fresh: {frame.key.hex()}")
        self._last_key = frame.key
        if not frame.length_is_minimal:
            self.faults.append(f"5.2: the length is not in its shortest form: {frame.wire_size} octets")
        allowed = frames.RSV1 if self._inflater and frame.opcode in (frames.TEXT, frames.BINARY) else 0
        if frame.rsv & ~allowed:
            self.faults.append(f"5.2: reserved bits {frame.rsv} with opcode {frame.opcode}")

    def _control(self, frame):
        if not frame.fin or len(frame.payload) > 125:
            self.faults.append(f"5.5: a control frame in parts or too long: {frame}")
        if frame.opcode != CLOSE:
            if frame.opcode not in KINDS:
                self.faults.append(f"5.2: reserved opcode {frame.opcode}")
            return Event(KINDS.get(frame.opcode, "unknown"), frame.payload)
        self.closed = True
        if not frame.payload:
            return Event("close")
        code, reason = int.from_bytes(frame.payload[:2], "big"), frame.payload[2:]
        if len(frame.payload) == 1 or code not in LEGAL_CODES:
            self.faults.append(f"7.4: a close frame with {frame.payload!r}")
        if not is_utf8(reason):
            self.faults.append(f"5.5.1: a reason that is not UTF-8: {reason!r}")
        return Event("close", reason, code)

    def _data(self, frame):
        if (frame.opcode == CONTINUATION) != bool(self._parts):
            self.faults.append(f"5.4: opcode {frame.opcode} {'inside' if self._parts else 'outside of'} a message")
        if frame.opcode not in (CONTINUATION, frames.TEXT, frames.BINARY):
            self.faults.append(f"5.2: reserved opcode {frame.opcode}")
        if not self._parts:
            self._first, self._checker = frame, codecs.getincrementaldecoder("utf-8")()
        self._parts.append(frame.payload)
        is_squeezed = bool(self._first.rsv)
        if not is_squeezed:
            self._check_text(frame.payload, frame.fin)
        if not frame.fin:
            return None
        data, self._parts = b"".join(self._parts), []
        if is_squeezed and self._inflater:
            try:
                data = self._inflater.inflate(data)
            except Exception as error:  # zlib's, and of nothing else in there
                self.faults.append(f"7692 7.2.2: does not inflate with what was agreed: {error}")
            self._check_text(data, True)
        self.compressed.append(is_squeezed)
        return Event(KINDS.get(self._first.opcode, "unknown"), data)

    def _check_text(self, data, fin):
        """Not even the first part of a message may bring what is no UTF-8."""
        if self._first.opcode != TEXT or self._checker is None:
            return
        try:
            self._checker.decode(data, fin)
        except UnicodeDecodeError as error:
            self.faults.append(f"8.1: text that is not UTF-8: {error}")
            self._checker = None


def is_utf8(data):
    try:
        data.decode()
        return True
    except UnicodeDecodeError:
        return False


class End:
    """One end of the connection, listening on a thread of its own until it is over."""

    def __init__(self, wire, rules, *, echoes, answers=None):
        self._wire, self._rules, self._echoes = wire, rules, echoes
        self._answers = answers or wire.send_frame
        self._said_close = threading.Event()
        self._done = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def say(self, writes):
        """False when the other side hung up before it was all said."""
        try:
            for data in writes:
                self._wire.send_bytes(data)
            return True
        except (Ended, OSError):
            return False

    def says_close(self):
        """Its close frame is among what is said: it does not answer one."""
        self._said_close.set()

    def wait(self, deadline):
        self._done.get(timeout=deadline)

    def _listen(self):
        try:
            while True:
                self._take(self._wire.read_frame(deadline=DEADLINE * 6))
        except (Ended, OSError):
            self._rules.finish(self._wire.buffer)
        except Exception as error:
            self._rules.faults.append(f"unreadable: {error!r}")
        self._wire.close()
        self._done.put(None)

    def _take(self, frame):
        event = self._rules.take(frame)
        try:
            if event and self._rules.closed:
                self._on_close(frame)
            elif event and self._echoes and frame.opcode == PING:
                self._wire.send_frame(frames.PONG, event.data)
            elif event and self._echoes and not frame.is_control:
                self._answers(frames.TEXT if event.kind == "text" else frames.BINARY, event.data)
        except (Ended, OSError):
            pass  # what it got until then tells

    def _on_close(self, frame):
        if not self._said_close.is_set():
            self._said_close.set()
            self._wire.send_frame(CLOSE, frame.payload)
        if not self._wire.masks:  # 7.1.1: the server is the first to close the connection
            self._wire.sock.shutdown(socket.SHUT_WR)


class Judge:
    """Plays cases through the proxy at `address`, in front of `app`, a ManualApp."""

    def __init__(self, connect, app, deadline):
        self._connect, self._app, self._deadline = connect, app, deadline

    def play(self, case):
        """What is wrong, as lines; nothing when all is as it should be."""
        client = self._connect()
        client.ask(extensions=case.offer)
        side = self._app.next().accept()
        side.read_frame = lambda deadline: type(client).read_frame(side, deadline)  # faults are ours to tell
        head = client.read_answer()
        if head.status != 101:
            return [f"answered {head.status}"]
        agreed = client.agreed
        if case.offer and agreed is None:
            return [f"{case.offer} was not agreed"]
        if case.agreed and case.agreed != (found := (agreed.server_bits, agreed.client_bits, agreed.server_takeover, agreed.client_takeover)):
            return [f"agreed was {found}, not {case.agreed}"]
        rules = {CLIENT: FrameRules(masked=False, inflater=inflater_for(agreed)), APP: FrameRules(masked=True)}
        wires = {CLIENT: client, APP: side}
        ends = {name: End(wires[name], rules[name], echoes=name != case.speaker,
                          answers=squeezing(client) if name == CLIENT and agreed else None) for name in wires}
        self._speak(case, ends[case.speaker], agreed)
        faults, latest = [], time.monotonic() + self._deadline
        for name, end in ends.items():
            try:
                end.wait(max(latest - time.monotonic(), 0.001))
            except queue.Empty:
                faults.append(f"{name}: the connection has not ended")
                wires[name].close()
        for name in wires:
            faults += [f"{name}: {fault}" for fault in rules[name].faults[:3]]
            faults += compare(case, name, rules[name].events)
        if case.compressed is not None and not as_wanted(case.compressed, squeezed := rules[CLIENT].compressed):
            faults.append(f"client: {sum(squeezed)} of {len(squeezed)} messages came compressed, wanted {case.compressed}")
        return faults

    @staticmethod
    def _speak(case, end, agreed):
        if case.hears and case.hears[-1].kind == "close" and case.refused is None:
            end.says_close()
        told = end.say(case.writes(agreed))
        if told and not case.ends_itself:
            end.says_close()
            end.say([Frame(CLOSE, GOODBYE.code.to_bytes(2, "big") + GOODBYE.data).encoded(case.speaker)])


def as_wanted(wanted, squeezed):
    return 2 * sum(squeezed) > len(squeezed) if wanted else not any(squeezed)


def compare(case, end, got):
    wanted = case.wanted(end)
    if case.refused is not None and end == case.speaker and got:
        # What was echoed may be on its way still when the refusal goes out, and then comes too late.
        wanted = wanted[: len(got) - 1] + wanted[-1:]
    if case.refused is not None and end == APP != case.speaker and got and got[-1] == CUT_INSIDE:
        # A close frame would be payload there (how far a frame had gone on depends on how it came): the cut is right.
        wanted = wanted[:-1] + (CUT_INSIDE,)
    if len(got) == len(wanted) and all(event.fits(want) for event, want in zip(got, wanted)):
        return []
    return [f"{end}: got {shortened(got)}, wanted {shortened(wanted)}"]


def shortened(events):
    return f"{list(events[:12])}" + (f" and {len(events) - 12} more" if len(events) > 12 else "")


def inflater_for(agreed):
    """Exact to the octet: no deflate stream can reach beyond 15 bits, so only less needs the slow one."""
    if agreed is None:
        return None
    kind = FastInflater if agreed.server_bits == 15 else StrictInflater
    return kind(agreed.server_bits, agreed.server_takeover)


def squeezing(client):
    def answer(opcode, data):
        client.send_frame(opcode, client.compressor.compress(data), rsv=frames.RSV1)
    return answer


class EchoGround:
    """A proxy, made by `start_proxy(app_url)`, with an app of ours behind it, and a judge for both."""

    def __init__(self, start_proxy, deadline=DEADLINE):
        self._app = ManualApp()
        self.proxy = start_proxy(self._app.url)
        self.judge = Judge(self.proxy.client, self._app, deadline)

    def stop(self):
        self.proxy.stop()
        self._app.stop()
