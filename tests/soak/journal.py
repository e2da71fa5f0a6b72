"""What each end of a connection said and heard, message by message, and whether the two agree."""

import dataclasses
import hashlib


def digest(message):
    """Tells messages apart, and a text from the same bytes as binary."""
    text = isinstance(message, str)
    return hashlib.blake2b(message.encode() if text else message, digest_size=8, key=b"t" if text else b"b").digest()


@dataclasses.dataclass
class End:
    """One end of one connection."""

    said: list = dataclasses.field(default_factory=list)
    heard: list = dataclasses.field(default_factory=list)
    code: int | None = None  # of the close frame that came

    def says(self, message):
        self.said.append(digest(message))
        return message

    def hears(self, message):
        self.heard.append(digest(message))
        return message


def difference(said, heard, *, whole):
    """None when `heard` is `said`, or where the connection was cut (not `whole`) begins it; else what is wrong."""
    for at, (one, other) in enumerate(zip(said, heard)):
        if one == other:
            continue
        if other in said[:at]:
            return f"message {said.index(other)} came again instead of {at} of {len(said)}"
        if one in heard[at:]:
            return f"message {at} of {len(said)} came late or others before it"
        if other in said[at:]:
            return f"message {at} of {len(said)} is lost, a later one came"
        return f"message {at} of {len(said)} is another than was sent"
    if len(heard) > len(said):
        return f"{len(heard) - len(said)} more came than the {len(said)} that were sent"
    if whole and len(heard) < len(said):
        return f"the last {len(said) - len(heard)} of {len(said)} are lost"
    return None


@dataclasses.dataclass
class Totals:
    """Sums over the connections that have ended, for the comparison with the proxy's own counters."""

    connections: int = 0
    said_by_clients: int = 0
    heard_by_apps: int = 0
    said_by_apps: int = 0
    heard_by_clients: int = 0
    cut: int = 0  # by an app that was restarted, or by a client that vanished on purpose

    def add(self, client, app, *, cut):
        self.connections += 1
        self.said_by_clients += len(client.said)
        self.heard_by_apps += len(app.heard)
        self.said_by_apps += len(app.said)
        self.heard_by_clients += len(client.heard)
        self.cut += cut


class Journal:
    """Takes every connection at its end and keeps only what was wrong with it."""

    MOST = 50  # faults that are kept in words

    def __init__(self):
        self.totals, self.faults, self.fault_count = Totals(), [], 0
        self.counts = {}  # of things that are no messages, by name

    def fault(self, what):
        self.fault_count += 1
        if len(self.faults) < self.MOST:
            self.faults.append(what)

    def count(self, what, times=1):
        self.counts[what] = self.counts.get(what, 0) + times

    def close(self, name, client, app, *, cut, client_hears_all=None):
        """`cut`: the connection was ended on purpose while messages were on their way."""
        self.totals.add(client, app, cut=cut)
        whole_to_client = not cut if client_hears_all is None else client_hears_all
        for direction, said, heard, whole in (("to the app", client.said, app.heard, not cut),
                                              ("to the client", app.said, client.heard, whole_to_client)):
            if wrong := difference(said, heard, whole=whole):
                self.fault(f"{name}, {direction}: {wrong}")
