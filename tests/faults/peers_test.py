"""The app, then the client, fails at each step of a connection's life: reset, ended, garbage, silence (a process that is stopped or slow)."""

import dataclasses
import os
import signal
import subprocess

from failing import FailingTest  # noqa: F401  (sets the path of the harness)
from harness import EchoApp, Ended, SystemTest, WSPROXY, environment, frames, free_port, http_head, main, wait_until
from harness.bystander import bystander
from markdown import print_table, wants_table

GARBAGE = bytes([0xFF, 0x7F]) + bytes(range(100, 160)) * 3  # no frame and no head begins so
HALF_101 = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websock"
TEXT = b"a text of which not all comes, " * 8
TIMES = {"handshake": "400ms", "close": "400ms", "ping_interval": "200ms", "ping_timeout": "1s"}  # the bystander, a thread of this test, has to answer in it too

RESET, ENDED, GARBLED, SILENT = "resets", "ends", "sends garbage", "says nothing more"


def do(deed, side):
    """Nothing is left for `says nothing more`: the test waits."""
    if deed == RESET:
        side.reset()
    elif deed == ENDED:
        side.close()
    elif deed == GARBLED:
        side.send_bytes(GARBAGE)


@dataclasses.dataclass
class Case:
    step: str
    deed: str
    sees: str  # what the other end does, as `seen_by` names it
    told: tuple = ()  # a metric and its labels, which grow by it

    @property
    def told_by(self):
        if not self.told:
            return "access line"
        labels = ",".join(f'{key}="{value}"' for key, value in self.told[1].items())
        return f"`{self.told[0]}{{{labels}}}`, access line"


def errors(reason):
    return ("wsproxy_upstream_errors_total", {"reason": reason})


def steps(names, outcomes):
    return [Case(name, deed, *outcome) for name in names for deed, outcome in outcomes.items()]


# Between the last and the first there is nothing left to fail.
BEFORE_101 = ["after accepting", "in the middle of its 101"]
INSIDE = ["after its 101", "inside a frame's header", "inside a payload", "between fragments that are compressed"]
APP = [
    *steps(BEFORE_101, {RESET: ("502", errors("closed_early")), ENDED: ("502", errors("closed_early")),
                        GARBLED: ("502", errors("bad_response")), SILENT: ("504", errors("response_timeout"))}),
    *steps(INSIDE[:1] + INSIDE[3:], {RESET: ("1011", errors("lost")), ENDED: ("1011", errors("lost")),
                                     GARBLED: ("1011", errors("protocol")), SILENT: ("goes on", ())}),
    *steps(INSIDE[1:3], {RESET: ("1011", errors("lost")), ENDED: ("1011", errors("lost")), SILENT: ("goes on", ())}),
    Case("inside a frame's header", GARBLED, "1011", errors("protocol")),
    *steps(["during the client's close"], {RESET: ("1000", ()), ENDED: ("1000", ()), GARBLED: ("1011", errors("protocol")), SILENT: ("1000", ())}),
    *steps(["during its own close"], {RESET: ("4001", ()), ENDED: ("4001", ()), GARBLED: ("4001", ()), SILENT: ("4001", ())}),
]
CLIENT = [
    *steps(["after connecting", "inside its request"],
           {RESET: ("never asked", ()), ENDED: ("never asked", ()), GARBLED: ("never asked", ()), SILENT: ("never asked", ())}),
    *steps(["after its request"], {RESET: ("ended", ()), ENDED: ("ended", ())}),
    *steps(INSIDE, {RESET: ("ended", ()), ENDED: ("ended", ()), SILENT: ("ended", ())}),
    *steps(["after its 101", "between fragments that are compressed"], {GARBLED: ("1002", ())}),
    Case("inside a frame's header", GARBLED, "1009"),  # the header that it makes of it has a length of 64 bits
    *steps(["during the app's close"], {RESET: ("ended", ()), ENDED: ("ended", ()), GARBLED: ("1002", ()), SILENT: ("4001", ())}),
    *steps(["during its own close"], {RESET: ("1000", ()), ENDED: ("1000", ()), SILENT: ("1000", ())}),
]


class Peers(SystemTest):
    def setUp(self):
        super().setUp()
        upstream = {"connect_timeout": "500ms", "response_timeout": "400ms"}
        echo = EchoApp()
        self.addCleanup(echo.stop)
        self.start(timeouts=TIMES, upstream=upstream, workers=1, routes=[{"match": {"path": "/bystander"}, "upstream": {"url": echo.url}}])

    def assert_for_each(self, cases, play):
        with bystander(self.echo_client("/bystander", extensions="permessage-deflate")):
            self.play_all(cases, play)

    def play_all(self, cases, play):
        for case in cases:
            with self.subTest(f"{case.step} it {case.deed}"):
                before, files = self.proxy.metrics(), self.descriptors()
                self.assertEqual(play(case), case.sees)
                if case.told:
                    name, labels = case.told
                    wait_until(lambda: self.proxy.metrics().sum(name, **labels) == before.sum(name, **labels) + 1, f"{labels} to be counted once")
                wait_until(lambda: self.proxy.metrics().sum("wsproxy_connections_active") == 1, "the connection to be gone")
                wait_until(lambda: self.descriptors() <= files, "its descriptors to be given back")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.proxy.pid}/fd"))

    def half_done(self, wire, step):
        """Brings one end to the step from which it does not go on."""
        frame = wire.frame_bytes(frames.TEXT, TEXT)
        if step == "inside a frame's header":
            wire.send_bytes(wire.frame_bytes(frames.TEXT, TEXT)[:1])
        elif step == "inside a payload":
            wire.send_bytes(frame[:-50])
        elif step == "between fragments that are compressed" and wire.masks:
            wire.send_frame(frames.TEXT, wire.compressor.compress(TEXT)[:20], fin=False, rsv=frames.RSV1)
        elif step == "between fragments that are compressed":
            wire.send_frame(frames.TEXT, TEXT, fin=False)  # the proxy compresses them

    def play_app(self, case):
        client = self.closing(self.proxy.client())
        client.ask(extensions="permessage-deflate")
        side = self.closing(self.app.next())
        if case.step in BEFORE_101:
            if case.step != BEFORE_101[0]:
                side.send_bytes(HALF_101)
            # Garbage that ends, or a head would go on for ever.
            side.send_bytes(b"garbage\r\n\r\n") if case.deed == GARBLED else do(case.deed, side)
            return str(client.read_answer().status)
        side.accept()
        client.read_answer()
        self.half_done(side, case.step)
        if case.step == "during the client's close":
            client.send_close(1000)
            side.read_close()
        elif case.step == "during its own close":
            side.send_close(4001)
        do(case.deed, side)
        return self.seen_by_client(client, case)

    def seen_by_client(self, client, case):
        if case.deed == SILENT and case.step in INSIDE:
            # It may be busy for hours: it is the client that the proxy asks for signs of life.
            client.read_control(frames.PING)
            client.close()
            return "goes on"
        try:
            code = client.read_close()[0]
        except Ended:
            return "ended"
        client.send_close(code)
        client.read_to_end()
        return str(code)

    def play_client(self, case):
        client = self.closing(self.proxy.client())
        request = http_head.request(extensions="permessage-deflate; client_max_window_bits")
        if case.step in ("after connecting", "inside its request"):
            if case.step != "after connecting":
                client.send_bytes(request[:40])
            client.send_bytes(b"\0garbage\r\n\r\n") if case.deed == GARBLED else do(case.deed, client)
            if case.deed in (GARBLED, SILENT):
                client.read_to_end()
                client.close()
            return "never asked" if self.app.nobody_came() else "asked"
        client.send_bytes(request)
        side = self.closing(self.app.next())
        if case.step != "after its request":
            side.accept()
            client.read_answer()
            client.answers_pings = False
        self.half_done(client, case.step)
        if case.step == "during its own close":
            client.send_close(1000)
        elif case.step == "during the app's close":
            side.send_close(4001)
            client.read_close()
        do(case.deed, client)
        return self.seen_by_app(side)

    def seen_by_app(self, side):
        try:
            frame = side.read_frame()
            while frame.opcode != frames.CLOSE:
                frame = side.read_frame()
        except Ended:
            return "ended"
        code = frames.close_parts(frame.payload)[0]
        try:
            side.send_close(code)
            side.read_to_end()
        except Ended:
            pass
        return str(code)

    def test_an_app_that_fails_at_each_step(self):
        self.assert_for_each(APP, self.play_app)

    def test_a_client_that_fails_at_each_step(self):
        self.assert_for_each(CLIENT, self.play_client)


class AppProcess(SystemTest):
    """A real process, killed and paused."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.begin_app()
        self.start(app_url=f"ws://127.0.0.1:{self.port}", upstream={"connect_timeout": "500ms", "response_timeout": "700ms"})

    def begin_app(self):
        self.echo = subprocess.Popen([WSPROXY, "echo", "--port", str(self.port)], env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.echo.wait)
        self.addCleanup(self.echo.kill)

    def test_a_paused_app_keeps_what_is_open_and_times_out_who_comes_until_it_goes_on(self):
        client = self.echo_client(extensions="permessage-deflate")
        self.echo.send_signal(signal.SIGSTOP)
        client.send("said while it was stopped")
        late = self.closing(self.proxy.client())
        late.ask()
        self.assertEqual(late.read_answer().status, 504)  # the kernel accepts for it, and nobody answers
        self.echo.send_signal(signal.SIGCONT)
        self.assertEqual(client.read_message().text, "said while it was stopped")
        self.echo_client().finish()

    def test_a_killed_app_is_1011_then_502_and_served_again_when_it_is_back(self):
        client = self.echo_client(extensions="permessage-deflate")
        self.echo.kill()
        self.assertEqual(client.read_close()[0], 1011)
        late = self.closing(self.proxy.client())
        late.ask()
        self.assertEqual(late.read_answer().status, 502)
        self.begin_app()
        wait_until(lambda: self.proxy.get("/readyz")[0] == 200, "readiness")
        self.echo_client().finish()


SEEN = {"502": "502", "504": "504", "goes on": "an open connection, and pings", "ended": "the end of the connection",
        "never asked": "nothing: no request"}


def row(who, case):
    seen = SEEN.get(case.sees, f"close frame {case.sees}")
    return (f"the {who} {case.deed} {case.step}", *((seen, "-") if who == "app" else ("-", seen)), case.told_by)


if __name__ == "__main__":
    if wants_table():
        print_table("Apps that fail", [row("app", case) for case in APP])
        print()
        print_table("Clients that fail", [row("client", case) for case in CLIENT])
    else:
        main()
