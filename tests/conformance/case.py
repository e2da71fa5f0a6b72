"""A case: what one end says, frame by frame, and what both ends must then have seen."""

import collections.abc
import dataclasses
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "system"))

from harness import frames  # noqa: E402
from harness.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload  # noqa: E402

CLIENT, APP = "client", "app"
# Every frame of the client's has this key, so that one which goes through unchanged is seen at the app.
CLIENT_KEY = b"\x37\xfa\x21\x3d"


@dataclasses.dataclass(frozen=True)
class Event:
    """What an end gets: a whole message, a control frame, or an end of the connection without a close frame."""

    kind: str
    data: bytes | None = b""  # None in what is wanted: any
    code: int | None = None  # of a close frame that has one

    def __repr__(self):
        shown = self.data if self.data is None or len(self.data) < 60 else self.data[:40] + b"...%d" % len(self.data)
        return f"{self.kind}({'' if self.code is None else f'{self.code}, '}{shown!r})"

    def fits(self, wanted):
        return (self.kind, self.code) == (wanted.kind, wanted.code) and wanted.data in (None, self.data)


def text(data):
    return Event("text", data.encode() if isinstance(data, str) else data)


def binary(data):
    return Event("binary", data)


def ping(data=b""):
    return Event("ping", data)


def pong(data=b""):
    return Event("pong", data)


def close(code=None, reason=b""):
    return Event("close", reason, code)


CUT = Event("cut")
CUT_INSIDE = Event("cut inside a frame")
GOODBYE = close(1000, b"that was all")
KINDS = {TEXT: "text", BINARY: "binary", PING: "ping", PONG: "pong"}


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame to be said, right or wrong. `missing` octets are announced in the header and never come."""

    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    form: int | None = None  # 7, 16 or 64 bits of length; None: as few as will do
    masked: bool | None = None  # None: as the speaker must
    missing: int = 0
    key: bytes = CLIENT_KEY

    def encoded(self, speaker):
        masked = speaker == CLIENT if self.masked is None else self.masked
        data = frames.encode(self.opcode, self.payload + bytes(self.missing), fin=self.fin, rsv=self.rsv,
                             masked=masked, key=self.key, length_form=self.form)
        return data[: len(data) - self.missing]


def message(opcode, parts, *, rsv=0, between=()):
    """A message in these fragments, with frames `between` after each but the last."""
    said = []
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        said.append(Frame(opcode if at == 0 else CONTINUATION, part, fin=last, rsv=rsv if at == 0 else 0))
        said += () if last else between
    return tuple(said)


def closing(code=None, reason=b"", **how):
    return Frame(CLOSE, close_payload(code, reason), **how)


@dataclasses.dataclass(frozen=True)
class Case:
    """`number` is the Autobahn suite's where it has such a case; A before it: the app is the speaker.

    The other end echoes: messages as they are, a pong for a ping, a close frame for a close frame. Where `refused`, the
    speaker breaks a rule and gets that code; else the judge ends the case in order, unless the speaker has done so.
    """

    number: str
    name: str
    section: str
    says: collections.abc.Sequence | collections.abc.Callable  # frames, or a function of what was agreed that makes them
    hears: tuple = ()  # by the other end, before the end
    refused: int | None = None
    speaker: str = CLIENT
    offer: str | None = None  # of the client's, for permessage-deflate
    pace: int | str = "frames"  # how it goes to the socket: a frame a write, "joined", or in pieces of so many octets
    agreed: tuple | None = None  # (server's bits, client's bits, server's takeover, client's takeover) that must be agreed
    compressed: bool | None = None  # whether most of what the client gets must come compressed, or nothing may

    def writes(self, agreed):
        said = self.says(agreed) if callable(self.says) else self.says
        octets = (part if isinstance(part, bytes) else part.encoded(self.speaker) for part in said)
        if self.pace == "frames":
            yield from octets
            return
        whole = b"".join(octets)
        step = len(whole) if self.pace == "joined" else self.pace
        for at in range(0, len(whole), max(step, 1)):
            yield whole[at : at + step]

    @property
    def ends_itself(self):
        return self.refused is not None or (self.hears and self.hears[-1].kind == "close")

    def wanted(self, end):
        """What that end must get, to the last event."""
        rest = () if self.ends_itself else (GOODBYE,)
        if end != self.speaker:
            return self.hears + rest + self._end_of_listener()
        echoed = tuple(dataclasses.replace(event, kind="pong" if event.kind == "ping" else event.kind)
                       for event in self.hears + rest if event.kind != "pong")
        return echoed + (() if self.refused is None else (Event("close", None, self.refused),))

    def _end_of_listener(self):
        if self.refused is None:
            return ()
        # What the app does wrong is no fault of the client's: for it the app is lost (upstream.lost_code).
        return (Event("close", None, 1011 if self.speaker == APP else self.refused),)


def by_app(cases):
    """The same said by the app to a client."""
    return [dataclasses.replace(case, number=f"A{case.number}", speaker=APP) for case in cases]


def varied(cases, suffix, **changes):
    """The same in another way; `5.3+chopped` beside `5.3`."""
    return [dataclasses.replace(case, number=f"{case.number}+{suffix}", **changes) for case in cases]


def all_ways(cases):
    """Each frame in a write of its own, all in one, octet by octet, and where compression is agreed but not used."""
    chopped = [dataclasses.replace(case, number=f"{case.number}+chopped", pace=small_piece(case)) for case in cases]
    return [*cases, *varied(cases, "joined", pace="joined"), *chopped, *varied(cases, "deflate", offer="permessage-deflate"),
            *varied(chopped, "deflate", offer="permessage-deflate")]


def small_piece(case):
    """An octet at a time, unless that were thousands of writes."""
    return 1 + sum(len(part.encoded(case.speaker)) for part in case.says) // 3000
