"""Wrong closing handshakes (RFC 6455 sections 5.5.1 and 7)."""

from harness import frames
from harness.frames import CLOSE

from echo_server import Connection
from faults import closes_otherwise, drops, fails, falls_silent, goes_on, warns
from framing_faults import answers_close_with
from leaving import Closing


def at(matches, how):
    """Does `how` at a close frame whose payload matches; a frame that is gone on from is not answered."""
    def answer_close(self, payload):
        if matches(payload):
            return how()
        Connection.answer_close(self, payload)
    return answer_close


def answering(matches, answer):
    def answer_close(self, payload):
        raise Closing(answer) if matches(payload) else Closing(payload[:2])
    return answer_close


def of(code):
    return lambda payload: payload[:2] == frames.close_payload(code)


def anything(_):
    return True


def is_empty(payload):
    return not payload


def has_reason(payload):
    return len(payload) > 2


def serves_on(self, payload):
    """Answers, and then goes on as if nothing had been said."""
    self.send_frame(CLOSE, payload[:2])


def answers_later(self, payload):
    self.goodbye = payload


def answers_both(self, payload):
    Connection.on_ping(self, payload)
    if hasattr(self, "goodbye"):
        raise Closing(self.goodbye[:2])


def keeps_tcp_open(self):
    while True:
        self.receive()
        self.buffer.clear()


BAD_CODES = (999, 1004, 1005, 1006, 1015, 2000, 5000)


def takes_silently():
    raise Closing(frames.close_payload(1000))


FAULTS = [
    fails("closing.answer", "goes on", answer_close=at(anything, goes_on)),
    fails("closing.answer", "says nothing any more", answer_close=at(anything, falls_silent)),
    fails("closing.answer", "drops the connection", answer_close=at(anything, drops)),
    fails("closing.answer", "answers 1001", answer_close=answers_close_with(frames.close_payload(1001))),
    warns("closing.answer", "answers an empty one", answer_close=answers_close_with(b"")),
    fails("closing.empty", "goes on", answer_close=at(is_empty, goes_on)),
    fails("closing.empty", "says nothing any more", answer_close=at(is_empty, falls_silent)),
    fails("closing.empty", "drops the connection", answer_close=at(is_empty, drops)),
    fails("closing.empty", "takes it for an error", answer_close=answering(is_empty, frames.close_payload(1002))),
    *(fails("closing.codes", f"drops the connection at {code}", answer_close=at(of(code), drops)) for code in (3000, 4999, 1001)),
    *(fails("closing.codes", f"goes on at {code}", answer_close=at(of(code), goes_on)) for code in (3000, 4999, 1001)),
    *(warns("closing.codes", f"answers an empty one to {code}", answer_close=answering(of(code), b"")) for code in (3000, 4999, 1001)),
    *(fails("closing.codes", f"answers 1008 to {code}", answer_close=answering(of(code), frames.close_payload(1008)))
      for code in (3000, 4999, 1001)),
    fails("closing.codes", "drops the connection at a reason", answer_close=at(has_reason, drops)),
    *(fails("closing.bad_codes", f"{code}: goes on", instead={f"close code {code}": goes_on}, answer_close=at(of(code), goes_on))
      for code in BAD_CODES),
    *(warns("closing.bad_codes", f"{code}: closes with 1000", instead={f"close code {code}": takes_silently}) for code in BAD_CODES),
    *(warns("closing.bad_codes", f"{code}: drops the connection", instead={f"close code {code}": drops}) for code in BAD_CODES),
    fails("closing.bad_codes", "2000: says nothing any more", instead={"close code 2000": falls_silent}),
    fails("closing.one_byte", "goes on", instead={"one byte": goes_on}, answer_close=at(lambda payload: len(payload) == 1, goes_on)),
    fails("closing.one_byte", "says nothing any more", instead={"one byte": falls_silent}),
    warns("closing.one_byte", "closes with 1011", instead={"one byte": closes_otherwise}),
    warns("closing.one_byte", "drops the connection", instead={"one byte": drops}),
    fails("closing.bad_reason", "goes on", instead={"reason": goes_on}, answer_close=at(has_reason, goes_on)),
    fails("closing.bad_reason", "says nothing any more", instead={"reason": falls_silent}),
    warns("closing.bad_reason", "takes it", instead={"reason": goes_on}),
    warns("closing.bad_reason", "drops the connection", instead={"reason": drops}),
    fails("closing.after", "answers the close frame, and serves on", answer_close=serves_on),
    fails("closing.after", "does not know close frames", answer_close=at(anything, goes_on)),
    fails("closing.after", "answers what comes behind first", answer_close=answers_later, on_ping=answers_both),
    warns("closing.tcp", "leaves it open", end=keeps_tcp_open),
]
