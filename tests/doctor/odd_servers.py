"""Servers that do what few do and all may: nothing is wrong with them, and the doctor must not say so."""

import time
import zlib

from harness import frames, http_head
from harness.frames import CONTINUATION, PING, PONG, RSV1, TEXT

from echo_server import Connection
from leaving import Closing
from server_deflate import Compressor


def fields_as(*pairs):
    """Of the 101; `accept` stands for the accept key."""
    return {"upgrade_fields": lambda self, head: [
        (name, http_head.accept_key(self.one(head, "Sec-WebSocket-Key")) if value == "accept" else value) for name, value in pairs]}


def writes_in_pieces(self, data):
    """The answer and the first frames leave byte by byte."""
    self.written = getattr(self, "written", 0)
    for at in range(len(data)):
        if self.written >= 400:
            return self.sock.sendall(data[at:])
        self.sock.sendall(data[at : at + 1])
        self.written += 1


def sends_fragments(self, opcode, data):
    """Three frames, the last one empty, with a ping of its own between."""
    self.send_frame(opcode, data[:1], fin=False)
    self.send_frame(PING, b"and you?")
    self.send_frame(CONTINUATION, data[1:], fin=False)
    self.send_frame(CONTINUATION, b"")


def sends_compressed_fragments(self, opcode, data):
    if self.terms is None:
        return self.send_frame(opcode, data)
    packed = self.compressor.compress(data)
    self.send_frame(opcode, packed[:1], rsv=RSV1, fin=False)
    self.send_frame(CONTINUATION, b"", fin=False)
    self.send_frame(CONTINUATION, packed[1:])


def sends_final_blocks(self, opcode, data):
    """Section 7.2.3.4: a final block, then the octet with which the next empty block begins."""
    if self.terms is None:
        return self.send_frame(opcode, data)
    stream = zlib.compressobj(6, zlib.DEFLATED, -self.terms.server_bits)
    self.send_frame(opcode, stream.compress(data) + stream.flush() + b"\0", rsv=RSV1)


def sends_plain(self, opcode, data):
    self.send_frame(opcode, data)


def begins_with(*first):
    def talk(self):
        for opcode, payload in first:
            self.send_frame(opcode, payload)
        Connection.talk(self)
    return talk


def answer(change):
    return {"answer_to": lambda self, parameters: change(Connection.answer_to(self, parameters))}


def without_server_takeover(self, parameters):
    self.compressor = Compressor(self.terms.server_bits, takeover=False)
    said = Connection.answer_to(self, parameters)
    return said if "server_no_context_takeover" in said else said + "; server_no_context_takeover"


def without_client_takeover(self, parameters):
    said = Connection.answer_to(self, parameters)
    return said if "client_no_context_takeover" in said else said + "; client_no_context_takeover"


def with_smallest_windows(self, parameters):
    """Section 7.1.2: the server's window is the server's to narrow, the client's when it says that it can."""
    self.terms.server_bits = 9
    if "client_max_window_bits" in dict(parameters):
        self.terms.client_bits = 9
    self.compressor, self.inflater = self.make_compressor(), self.make_inflater()
    return self.terms.answer()


def with_a_wider_client_window(said):
    """Section 7.1.2.2: the offered value is a hint, which a server may ignore."""
    return said.replace("client_max_window_bits=10", "client_max_window_bits=11")


def with_status(rule, status):
    return {"problems": lambda self, head: [(name, status if name == rule else code, wrong)
                                            for name, code, wrong in Connection.problems(self, head)]}


def closes_with_reason(self, payload):
    raise Closing((payload[:2] or b"\x03\xe8") + b"so long")


def asks_late(self, opcode, data):
    """A pong nobody asked for before each echo."""
    self.send_frame(PONG, b"unasked")
    Connection.on_message(self, opcode, data)


def is_slow(self, opcode, data):
    time.sleep(0.02)  # its own slowness; nobody waits for a thing to have happened
    Connection.on_message(self, opcode, data)


MANY = tuple((f"X-Header-{at}", "x" * 40) for at in range(40))
ODD = {
    "the answer's names in lower case": fields_as(("upgrade", "WebSocket"), ("connection", "upgrade"), ("sec-websocket-accept", "accept")),
    "a list in Connection": fields_as(("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Accept", "accept")),
    "another reason phrase": {"status_line": lambda self: "HTTP/1.1 101 Web Socket Protocol Handshake"},
    "no reason phrase": {"status_line": lambda self: "HTTP/1.1 101 "},
    "forty headers in the answer": {"extra_fields": MANY},
    "several versions in the refusal": {"refusal_fields": (("Sec-WebSocket-Version", "13, 8, 7"),)},
    "a header for each version in the refusal": {"refusal_fields": (("Sec-WebSocket-Version", "8"), ("Sec-WebSocket-Version", "13"))},
    "no subprotocol": {"choose_protocol": lambda self, offers: None},
    "the last subprotocol": {"choose_protocol": lambda self, offers: offers[-1].split(",")[-1].strip() if offers else None},
    "byte by byte": {"write": writes_in_pieces},
    "a pong before each echo": {"on_message": asks_late},
    "slow": {"on_message": is_slow},
    "echoes in fragments": {"send_message": sends_fragments, "offers_deflate": False},
    "echoes in compressed fragments": {"send_message": sends_compressed_fragments},
    "echoes in final blocks": {"send_message": sends_final_blocks},
    "echoes that are not compressed": {"send_message": sends_plain},
    "closes with a reason": {"answer_close": closes_with_reason},
    "server_no_context_takeover unasked": {"answer_to": without_server_takeover},
    "client_no_context_takeover unasked": {"answer_to": without_client_takeover},
    "the smallest windows": {"answer_to": with_smallest_windows},
    "values in quotes": answer(lambda said: said.replace("bits=9", 'bits="9"').replace("bits=10", 'bits="10"').replace("bits=12", 'bits="12"')),
    "a client's window that is wider than the client's hint": answer(with_a_wider_client_window),
    "a method that it does not know is 501": with_status("method", 501),
    "no spaces in the answer": answer(lambda said: said.replace("; ", ";")),
}

# What comes from the server before it has been asked for anything.
INTERRUPTING = {
    "a greeting": {"talk": begins_with((TEXT, b"welcome"))},
    "two greetings and a ping": {"talk": begins_with((TEXT, b"welcome"), (PING, b""), (frames.BINARY, b"\xff"))},
    "a ping of 125 bytes": {"talk": begins_with((PING, b"x" * 125))},
}
