"""Wrong opening handshakes (RFC 6455 section 4)."""

from echo_server import Connection
from faults import fails, warns


def without(name):
    return lambda self, head: [field for field in Connection.upgrade_fields(self, head) if field[0] != name]


def instead_of(name, value):
    return lambda self, head: [(key, value if key == name else old) for key, old in Connection.upgrade_fields(self, head)]


def lenient(*rules):
    return {"lenient": frozenset(rules)}


def refusing(status, broken="version"):
    """A request that breaks that rule gets that status."""
    def problems(self, head):
        return [(rule, status if rule == broken else code, wrong) for rule, code, wrong in Connection.problems(self, head)]
    return problems


def reads_once(self):
    """Takes what comes first for the whole head."""
    self.receive()
    return Connection.read_head(self) if b"\r\n\r\n" in self.buffer else self.refuse(400, "half a head")


ACCEPT = [
    fails("handshake.accept", "the status is 200", status_line=lambda self: "HTTP/1.1 200 OK"),
    fails("handshake.accept", "the accept key is another's", accept=lambda self, key: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    fails("handshake.accept", "the accept key is the key", accept=lambda self, key: key),
    fails("handshake.accept", "no accept key", upgrade_fields=without("Sec-WebSocket-Accept")),
    fails("handshake.accept", "no Upgrade", upgrade_fields=without("Upgrade")),
    fails("handshake.accept", "Upgrade: h2c", upgrade_fields=instead_of("Upgrade", "h2c")),
    fails("handshake.accept", "no Connection", upgrade_fields=without("Connection")),
    fails("handshake.accept", "Connection: close", upgrade_fields=instead_of("Connection", "close")),
]

REQUEST = [
    fails("handshake.version", "takes version 7", version_is_known=lambda self, versions: versions in (["13"], ["7"])),
    fails("handshake.version", "takes a request without version", version_is_known=lambda self, versions: versions in (["13"], [])),
    warns("handshake.version", "the refusal does not say which version it knows", refusal_fields=()),
    warns("handshake.version", "the refusal says version 8", refusal_fields=(("Sec-WebSocket-Version", "8"),)),
    warns("handshake.version", "the refusal is 500", problems=refusing(500)),
    warns("handshake.version", "the refusal is 200", problems=refusing(200)),
    fails("handshake.no_key", "takes it", **lenient("no key")),
    warns("handshake.bad_key", "takes it", **lenient("bad key")),
    warns("handshake.two_keys", "takes the first", **lenient("two keys")),
    warns("handshake.no_host", "takes it", **lenient("host")),
    fails("handshake.method", "takes POST", **lenient("method")),
    warns("handshake.method", "the refusal is 500", problems=refusing(500, "method")),
    warns("handshake.no_key", "the refusal is 501", problems=refusing(501, "no key")),
    warns("handshake.http_1_0", "takes it", **lenient("http 1.0")),
    fails("handshake.no_upgrade", "takes it", **lenient("upgrade", "connection")),
    fails("handshake.case", "compares Upgrade with case", is_upgrade=lambda self, value: value == "websocket"),
    fails("handshake.case", "compares Connection with case", is_connection=lambda self, value: "Upgrade" in value.split(", ")),
    fails("handshake.case", "compares names with case", name_is=lambda self, given, wanted: given == wanted),
    fails("handshake.case", "knows no lists in Connection", is_connection=lambda self, value: value.lower() == "upgrade"),
    fails("handshake.extra_headers", "takes twenty", max_fields=20),
    fails("handshake.in_pieces", "takes the first piece for the whole", read_head=reads_once),
]

ANSWER = [
    fails("handshake.subprotocol", "names one of its own", choose_protocol=lambda self, offers: "mqtt" if offers else None),
    fails("handshake.subprotocol", "changes its case",
          choose_protocol=lambda self, offers: (Connection.choose_protocol(self, offers) or "").swapcase()),
    fails("handshake.subprotocol", "repeats the whole list", choose_protocol=lambda self, offers: ", ".join(offers)),
    fails("handshake.unasked", "an extension", negotiate=lambda self, offers: Connection.negotiate(self, offers or ["permessage-deflate"])),
    fails("handshake.unasked", "a subprotocol", choose_protocol=lambda self, offers: Connection.choose_protocol(self, offers) or "chat"),
    fails("handshake.unknown_extension", "repeats what was offered",
          negotiate=lambda self, offers: Connection.negotiate(self, offers) or (offers[0] if offers else None)),
]

FAULTS = [*ACCEPT, *REQUEST, *ANSWER]
