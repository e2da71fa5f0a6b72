"""Each system call on the way of a connection fails, with each errno that its manual page names, while the proxy serves."""

import dataclasses

from failing import FOR_EVER, FailingTest
from harness import EchoApp, Ended, frames, free_port, main, wait_until
from harness.tls import TlsClient, TlsListener, TlsTest
from markdown import print_table, wants_table

TEXT = "a message of some words, a message of some words"

# What becomes of the connection that the fault is meant for.
SERVED, REFUSED, CUT, LOST = "served", "502", "cut without a close frame", "close frame 1011"
APP_SEES = {SERVED: "nothing", REFUSED: "no connection, or its end", CUT: "the end of the connection", LOST: "the end of its connection"}

OUT_OF_DESCRIPTORS = ["EMFILE", "ENFILE"]
OUT_OF_MEMORY = ["ENOBUFS", "ENOMEM"]
NETWORK = ["ENETDOWN", "ENETUNREACH", "EHOSTUNREACH", "EHOSTDOWN", "ETIMEDOUT"]
# Not EPIPE: its peer has ended already, which no test can make up, and what he said is read to its end.
ENDED = ["ECONNRESET", "ENOTCONN", "EIO", "EACCES"]
BY_AND_BY = ["EINTR", "EAGAIN", 0]  # 0: a byte at a time, for ever


@dataclasses.dataclass
class Fault:
    call: str
    errors: list
    when: str  # arrives: a client comes; speaks: one that is there says something
    port: str = "any"  # of which socket: client, app, listener
    outcome: str = SERVED
    times: int = 1
    metric: tuple = ()  # (name, labels), grows by it
    log: str = ""  # a line that has this

    def __str__(self):
        often = "" if self.times == 1 else ", again and again"
        return f"{self.call}() of {PORTS[self.port]} when a client {self.when}{often}"

    @property
    def told_by(self):
        told = []
        if self.metric:
            labels = ",".join(f'{key}="{value}"' for key, value in self.metric[1].items())
            told.append(f"`{self.metric[0]}" + (f"{{{labels}}}`" if labels else "`"))
        if self.log:
            told.append(f"log line `{self.log}`")
        return ", ".join(told) or "nothing: it was mended"


PORTS = {"any": "any descriptor", "client": "the client leg", "app": "the app leg", "listener": "the listener"}


def upstream(reason):
    return ("wsproxy_upstream_errors_total", {"reason": reason})


GONE = ("wsproxy_connections_total", {"result": "client_gone"})
ACCEPT = OUT_OF_DESCRIPTORS + OUT_OF_MEMORY + ["EPERM", "EPROTO", "ENETDOWN", "EHOSTUNREACH", "ETIMEDOUT", "ENOSR"]
CONNECT = NETWORK + ["ECONNREFUSED", "EADDRNOTAVAIL", "EAGAIN", "EPERM", "EACCES", "ENOBUFS"]
SOCKET = OUT_OF_DESCRIPTORS + OUT_OF_MEMORY + ["EACCES", "EAFNOSUPPORT"]

FAULTS = [
    Fault("accept4", ACCEPT, "arrives", "listener", SERVED, log="cannot accept connections"),
    Fault("accept4", ["ECONNABORTED", "EINTR"], "arrives", "listener", SERVED),
    Fault("socket", SOCKET, "arrives"),
    Fault("socket", SOCKET, "arrives", times=FOR_EVER, outcome=REFUSED, metric=upstream("connect")),
    Fault("connect", CONNECT + ["EINTR"], "arrives", "app"),
    Fault("connect", [name for name in CONNECT if name != "EAGAIN"], "arrives", "app", REFUSED, FOR_EVER, upstream("connect")),
    Fault("connect", ["EAGAIN"], "arrives", "app", REFUSED, FOR_EVER, upstream("connect_timeout")),
    Fault("epoll_ctl", ["ENOMEM", "ENOSPC"], "arrives", "listener", CUT, metric=GONE),
    Fault("epoll_ctl", ["ENOMEM", "ENOSPC"], "arrives", "app", SERVED),
    Fault("epoll_ctl", ["ENOMEM", "ENOSPC"], "arrives", "app", REFUSED, FOR_EVER, upstream("connect")),
    Fault("recv", ENDED + NETWORK + OUT_OF_MEMORY, "speaks", "client", CUT, log="connection reset"),
    Fault("recv", ENDED + NETWORK + OUT_OF_MEMORY, "speaks", "app", LOST, metric=upstream("lost")),
    Fault("send", ENDED + NETWORK + OUT_OF_MEMORY, "speaks", "client", CUT, log="connection reset"),
    Fault("send", ENDED + NETWORK + OUT_OF_MEMORY, "speaks", "app", LOST, metric=upstream("lost")),
    Fault("recv", ENDED + OUT_OF_MEMORY, "arrives", "app", REFUSED, metric=upstream("closed_early")),
    Fault("send", ENDED + OUT_OF_MEMORY, "arrives", "app", REFUSED, metric=upstream("closed_early")),
    Fault("send", ENDED + OUT_OF_MEMORY, "arrives", "listener", CUT, log="connection reset"),
    Fault("recv", ENDED + OUT_OF_MEMORY, "arrives", "listener", CUT, metric=GONE),
    *[Fault(call, BY_AND_BY, when, port, times=7 if when == "speaks" else 3)
      for call in ("recv", "send") for when, port in (("speaks", "client"), ("speaks", "app"), ("arrives", "listener"), ("arrives", "app"))],
    *[Fault(call, [0], "speaks", port, times=FOR_EVER) for call in ("recv", "send") for port in ("client", "app")],
    Fault("epoll_wait", ["EINTR"], "speaks", times=5),
    Fault("epoll_wait", ["EINTR"], "arrives", times=5),
    *[Fault(call, ["EINVAL", "ENOBUFS", "ENOMEM", "ENOTCONN"], "arrives", times=FOR_EVER)
      for call in ("setsockopt", "getsockname", "shutdown")],
    Fault("timerfd_settime", ["EINVAL"], "arrives", times=3),
]


SECURE_FAULTS = [
    Fault("recv", ["ECONNRESET", "ETIMEDOUT", *OUT_OF_MEMORY], "speaks", "client", CUT),
    Fault("send", ["ECONNRESET", *OUT_OF_MEMORY], "speaks", "client", CUT),
    Fault("recv", ["ECONNRESET", "ETIMEDOUT", *OUT_OF_MEMORY], "speaks", "app", LOST, metric=upstream("lost")),
    Fault("send", ["ECONNRESET", *OUT_OF_MEMORY], "speaks", "app", LOST, metric=upstream("lost")),
    *[Fault(call, BY_AND_BY, when, port, times=9 if when == "speaks" else 5)
      for call in ("recv", "send") for when, port in (("speaks", "client"), ("speaks", "app"), ("arrives", "listener"), ("arrives", "app"))],
    *[Fault(call, [0], when, port, times=FOR_EVER)
      for call in ("recv", "send") for when, port in (("speaks", "client"), ("speaks", "app"), ("arrives", "listener"), ("arrives", "app"))],
]


class KnownApp(EchoApp):
    """Knows from which port of the proxy its last connection came."""

    def on_request(self, side):
        self.last_port = side.sock.getpeername()[1]
        super().on_request(side)


class Calls(FailingTest):
    def assert_for_each(self, faults):
        bystander = self.echo("the bystander")
        for fault in faults:
            for error in fault.errors:
                with self.subTest(f"{fault}: {error or 'a byte at a time'}"):
                    self.strike(fault, error)
                    self.assert_all_is_well(bystander)

    def strike(self, fault, error):
        victim = self.echo("I am here", self.come().open(extensions="permessage-deflate")) if fault.when == "speaks" else None
        before, since = self.proxy.metrics(), len(self.proxy.lines)
        port = {"any": 0, "client": victim and victim.sock.getsockname()[1], "listener": self.port,
                "app": self.app.last_port if victim else self.app.port}[fault.port]
        self.plan.arm(fault.call, error, port=port, times=fault.times)
        try:
            outcome = self.outcome_of(victim)
            self.plan.wait_hits()
        finally:
            self.plan.disarm()
        self.assertEqual(outcome, fault.outcome)
        if fault.metric:
            name, labels = fault.metric
            grown = before.sum(name, **labels) + 1
            wait_until(lambda: self.proxy.metrics().sum(name, **labels) == grown, f"{name} {labels} to be {grown}")
        if fault.log:
            wait_until(lambda: self.lines_about(fault.log, since), f"a line with {fault.log!r}")

    def outcome_of(self, victim):
        try:
            if victim is None:
                victim = self.come()
                victim.ask(extensions="permessage-deflate")
                if victim.read_answer().status == 502:
                    return REFUSED
            victim.send(TEXT)
            frame = victim.read_frame()
            if frame.opcode == frames.CLOSE:
                victim.close()
                return f"close frame {frames.close_parts(frame.payload)[0]}"
            self.assertEqual(victim.inflater.inflate(frame.payload) if frame.rsv else frame.payload, TEXT.encode())
            victim.finish()
            return SERVED
        except Ended:
            return CUT
        finally:
            if victim is not None:
                victim.close()


class Plain(Calls):
    def come(self):
        return self.closing(self.proxy.client())

    def test_each_fault_has_its_outcome_and_harms_nobody_else(self):
        self.start_failing(KnownApp(), timeouts={"close": "500ms"})
        self.port = self.proxy.port
        self.assert_for_each(FAULTS)


class TlsKnownApp(TlsListener, KnownApp):
    pass


class Secure(Calls, TlsTest):
    """The same with TLS on both legs, of which a record may be half sent or half read."""

    def come(self):
        return self.closing(TlsClient(("127.0.0.1", self.port), self.context()))

    def test_each_fault_has_its_outcome_and_harms_nobody_else(self):
        plain, self.port = free_port(), free_port()
        self.start_failing(TlsKnownApp(self.certificate), timeouts={"close": "500ms"}, first_port=plain,
                           upstream={"connect_timeout": "500ms", "tls": {"ca": self.ca.crt}},
                           listeners=[{"name": "plain", "address": f"127.0.0.1:{plain}"},
                                      {"name": "secure", "address": f"127.0.0.1:{self.port}", "tls": self.certificate.tls}])
        self.assert_for_each(SECURE_FAULTS)


class Often(FailingTest):
    """A fault that stays: nothing turns in circles, the log is not filled, and all is well when it has gone."""

    FAULTS = [("accept4", "EMFILE", "listener"), ("accept4", "ENOMEM", "listener"), ("socket", "ENFILE", "any"),
              ("connect", "EADDRNOTAVAIL", "app"), ("epoll_ctl", "ENOSPC", "listener"), ("accept", "EMFILE", "any")]
    MOST_LINES = 30

    def test_it(self):
        self.start_failing(upstream={"connect_timeout": "10s"})
        bystander = self.echo("the bystander")
        for call, error, port in self.FAULTS:
            with self.subTest(f"{call}: {error}"):
                since = len(self.proxy.lines)
                self.plan.arm(call, error, times=FOR_EVER, port={"listener": self.proxy.port, "app": self.app.port}.get(port, 0))
                clients = [self.closing(self.proxy.client()) for _ in range(3)]
                with self.assert_no_spinning():
                    if call == "accept":
                        clients.append(self.closing(self.proxy.side()))
                    for client in clients:
                        client.send_bytes(b"")
                        if call != "accept":
                            client.ask()
                    self.plan.wait_hits()
                    self.echo("the bystander", bystander)
                self.plan.disarm()
                self.assertLess(len(self.proxy.lines) - since, self.MOST_LINES)
                for client in clients:
                    client.close()
                self.assert_all_is_well(bystander)


if __name__ == "__main__":
    if wants_table():
        print_table("System calls that fail", [
            (f"{fault}: {', '.join(error or 'a byte at a time' for error in fault.errors)}", fault.outcome,
             APP_SEES[fault.outcome], fault.told_by) for fault in FAULTS])
        print()
        print_table("The same with TLS on both legs", [
            (f"{fault}: {', '.join(error or 'a byte at a time' for error in fault.errors)}", fault.outcome,
             APP_SEES[fault.outcome], fault.told_by) for fault in SECURE_FAULTS])
    else:
        main()
