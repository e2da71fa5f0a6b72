"""What the doctor finds out by itself, and which checks it leaves out for it."""

import socket
import threading

import surroundings  # noqa: F401, first
from harness import frames, main

from doctor import DoctorTest, examine, patience
from echo_server import Connection, EchoServer
from faults import drops
from leaving import Closing, Gone
from tls_faults import context_of


def refuses_messages(self, opcode, data):
    raise Closing(frames.close_payload(1008, "I know no such message"))


class Facts(DoctorTest):
    def examine(self, *args, **changes):
        self.server = self.serve(self.changed(changes))
        report = examine(self.server.url, "--json", "--timeout", patience("500ms"), *args)
        self.assertEqual((report.code, report.checks("warn", "fail")), (0, []), report.told("warn", "fail"))
        self.statuses = {check["id"]: check["status"] for check in report.checks()}
        for check in report.checks("skip"):
            self.assertTrue(check["detail"], f"{check['id']} is skipped, and nobody says why")
        return report.json["facts"]

    def test_a_server_without_compression(self):
        facts = self.examine(offers_deflate=False)
        self.assertEqual((facts["echo"], facts["takes_messages"], facts["permessage_deflate"]), (True, True, ""))
        # The table of offers is an answer's matter, whether anything is agreed or not.
        skipped = {name for name, status in self.statuses.items() if name.startswith("deflate.") and status == "skip"}
        self.assertEqual(skipped, {name for name in self.statuses if name.startswith("deflate.")} - {"deflate.offers"})
        self.assertEqual(self.statuses["framing.lengths"], "pass")

    def test_a_server_that_does_not_echo(self):
        facts = self.examine(on_message=lambda self, opcode, data: None)
        self.assertEqual((facts["echo"], facts["takes_messages"]), (False, True))
        for name in ("framing.lengths", "framing.fragments", "framing.utf8", "framing.bad_utf8", "deflate.message", "deflate.corrupt"):
            self.assertEqual(self.statuses[name], "pass", name)
        for name in ("deflate.server_window", "deflate.server_takeover"):
            self.assertEqual(self.statuses[name], "skip", name)

    def test_a_server_that_answers_something_else(self):
        facts = self.examine(on_message=lambda self, opcode, data: self.send_message(frames.TEXT, b'{"error":"no JSON"}'))
        self.assertEqual((facts["echo"], facts["takes_messages"]), (False, True))
        self.assertEqual(self.statuses["framing.lengths"], "pass")

    def test_a_server_that_closes_on_what_it_does_not_know(self):
        for name, on_message in (("with a close frame", refuses_messages), ("without", lambda self, opcode, data: drops())):
            with self.subTest(name):
                facts = self.examine(on_message=on_message)
                self.assertEqual((facts["echo"], facts["takes_messages"]), (False, False))
                for check in ("framing.lengths", "framing.fragments", "framing.utf8", "framing.in_pieces", "deflate.message"):
                    self.assertEqual(self.statuses[check], "skip", check)
                for check in ("framing.ping", "framing.unmasked", "framing.reserved_bits", "closing.answer", "deflate.offers", "limits.length"):
                    self.assertEqual(self.statuses[check], "pass", check)

    def test_its_headers_and_the_path_come_with_every_request(self):
        self.server = self.serve()
        report = examine(self.server.url + "rooms/7?token=a%20b", "--only", "framing.ping", "--only", "deflate.offers", "--json",
                         "--header", "Authorization: Bearer abc", "--header", "X-Room:7")
        self.assertEqual(report.code, 0, report.told())
        self.assertGreater(len(self.server.heads), 2)
        for head in self.server.heads:
            self.assertEqual((head.target, head.all("Authorization"), head.all("X-Room")), ("/rooms/7?token=a%20b", ["Bearer abc"], ["7"]))

    def test_a_server_that_answers_no_pings_fails_at_pings_alone(self):
        server = self.serve(self.changed({"on_ping": lambda self, payload: None}))
        report = examine(server.url, "--json", "--timeout", patience("500ms"), "--only", "handshake", "--only", "framing.ping")
        self.assertEqual([check["id"] for check in report.checks("fail", "warn")], ["framing.ping"], report.told("fail", "warn"))


class Limits(DoctorTest):
    def finding(self, check, timeout, **changes):
        report = examine(self.serve(self.changed(changes)).url, "--deep", "--json", "--only", check, "--timeout", patience(timeout))
        self.assertEqual(report.code, 0, report.told() + report.errors)
        [found] = report.checks()
        return found["status"], found["detail"]

    def test_a_message_that_does_not_go_out_is_not_held_against_the_server(self):
        over = threading.Event()
        self.addCleanup(over.set)

        def judge_header(connection, fin, rsv, opcode, masked, length):
            if length > 16 << 20:
                over.wait()  # reads no more, and says nothing
            Connection.judge_header(connection, fin, rsv, opcode, masked, length)

        status, detail = self.finding("limits.message", "500ms", judge_header=judge_header)
        self.assertEqual(status, "skip", detail)
        self.assertIn("did not go out", detail)

    def test_a_slow_reader_may_be_cut(self):
        def write(connection, data):
            connection.sock.settimeout(0.3)  # the doctor begins to read after a second
            try:
                connection.sock.sendall(data)
            except TimeoutError:
                raise Gone from None
            connection.sock.settimeout(None)

        status, detail = self.finding("limits.slow_reader", "3s", write=write)
        self.assertEqual(status, "pass", detail)
        self.assertIn("cut", detail)


class Unwilling(EchoServer):
    """Meets clients of old versions with `how` instead of a handshake; the ClientHello's version is its tenth byte on."""

    def __init__(self, how, **more):
        self._how = how
        super().__init__(**more)

    def _serve(self, sock):
        hello = sock.recv(11, socket.MSG_PEEK)
        if hello[9:11] < b"\x03\x03":
            return self._how(sock)
        return super()._serve(sock)


class OldTls(DoctorTest):
    def finding(self, how):
        self.make_authorities()
        server = Unwilling(how, context=context_of(self.ca, self.stranger))
        self.addCleanup(server.stop)
        report = examine(server.url, "--json", "--only", "tls.old_versions", "--timeout", patience("500ms"), **self.trusting)
        self.assertEqual(report.code, 0, report.told() + report.errors)
        [found] = report.checks()
        return found["status"], found["detail"]

    def test_an_end_in_the_handshake_is_a_refusal(self):
        self.assertEqual(self.finding(lambda sock: sock.close())[0], "pass")

    def test_no_answer_in_time_is_none(self):
        over = threading.Event()
        self.addCleanup(over.set)
        status, detail = self.finding(lambda sock: over.wait())
        self.assertEqual(status, "skip")
        self.assertIn("timed out", detail)


class GivenHeaders(DoctorTest):
    def test_they_take_the_place_of_the_request_s_own(self):
        server = self.serve()
        report = examine(server.url, "--json", "--only", "handshake.accept", "--only", "handshake.case", "--only", "handshake.extra_headers",
                         "--header", "host: elsewhere.example", "--header", "USER-AGENT: another")
        self.assertEqual((report.code, report.checks("warn", "fail")), (0, []), report.told())
        for head in server.heads:
            self.assertEqual((head.all("Host"), head.all("User-Agent")), (["elsewhere.example"], ["another"]))

    def examine_protocols(self, **changes):
        server = self.serve(self.changed(changes))
        report = examine(server.url, "--json", "--only", "handshake", "--timeout", patience("500ms"), "--header", "Sec-WebSocket-Protocol: chat.v1",
                         "--header", "Sec-WebSocket-Protocol: chat.v2")
        return report, {check["id"]: check["status"] for check in report.checks()}

    def test_subprotocols_are_offered_by_all_but_those_that_ask_about_them(self):
        report, _ = self.examine_protocols(choose_protocol=lambda self, offers: offers[-1].split(",")[-1].strip() if offers else None)
        self.assertEqual((report.code, report.checks("warn", "fail", "skip")), (0, []), report.told())

    def test_one_that_was_given_is_unasked_where_it_is_left_out(self):
        _, statuses = self.examine_protocols(choose_protocol=lambda self, offers: "chat.v1")
        self.assertEqual({name for name, status in statuses.items() if status == "fail"}, {"handshake.subprotocol", "handshake.unasked"})

    def test_a_server_that_wants_one_is_not_asked_without(self):
        def problems(connection, head):
            is_missing = "chat.v1" not in connection.all(head, "Sec-WebSocket-Protocol")
            return [*Connection.problems(connection, head), ("no subprotocol", 400, is_missing)]

        report, statuses = self.examine_protocols(problems=problems)
        self.assertEqual((report.code, report.checks("warn", "fail")), (0, []), report.told())
        self.assertEqual(statuses["handshake.unasked"], "skip")


class Selection(DoctorTest):
    def ids(self, *only):
        report = examine(self.serve().url, "--json", *(word for one in only for word in ("--only", one)))
        return [check["id"] for check in report.checks()]

    def test_only_takes_ids_and_groups(self):
        self.assertEqual(self.ids("framing.ping"), ["framing.ping"])
        self.assertEqual(sorted(self.ids("framing.ping", "closing.tcp")), ["closing.tcp", "framing.ping"])
        closing = self.ids("closing")
        self.assertIn("closing.bad_codes", closing)
        self.assertEqual({name.partition(".")[0] for name in closing}, {"closing"})
        self.assertEqual(sorted(self.ids("closing", "framing.ping")), sorted([*closing, "framing.ping"]))

    def test_a_check_has_all_its_fields(self):
        report = examine(self.serve().url, "--json", "--only", "closing")
        self.assertEqual(set(report.json) - {"url", "facts", "checks", "summary"}, set())
        self.assertRegex(report.json["url"], "^ws://127.0.0.1:")
        for check in report.checks():
            self.assertEqual(set(check), {"id", "group", "status", "title", "section", "detail", "meaning", "deep", "milliseconds"})
            self.assertEqual((check["group"], check["deep"]), (check["id"].partition(".")[0], False))
            self.assertTrue(check["title"] and check["meaning"])
            self.assertRegex(check["section"], r"^RFC \d+ [\d.]+$")
            self.assertGreaterEqual(check["milliseconds"], 0)


class Scorecard(DoctorTest):
    def test_it_tells_what_was_seen_and_what_it_means(self):
        server = self.serve(self.changed({"on_ping": lambda self, payload: None, "refusal_fields": (), "offers_deflate": False}))
        args = ("--only", "framing.ping", "--only", "handshake", "--only", "deflate.message", "--timeout", patience("500ms"))
        card, report = examine(server.url, *args), examine(server.url, *args, "--json")
        self.assertEqual((card.code, report.code, card.errors), (1, 1, ""))
        words = " ".join(card.text.split())
        for check in report.checks():
            self.assertIn(check["title"], words)
        told = report.checks("fail", "warn")
        self.assertLessEqual({"handshake.version", "framing.ping"}, {check["id"] for check in told})
        for check in told:
            self.assertIn(" ".join(check["detail"].split()), words)
            self.assertIn(" ".join(check["meaning"].split()), words)
            self.assertIn(check["section"], words)
        for status, count in report.json["summary"].items():
            self.assertRegex(words, rf"\b{count}\b.{{0,3}}{status}")

    def test_it_is_without_colours_where_nobody_looks(self):
        self.assertNotIn("\x1b", examine(self.serve().url, "--only", "framing").text)

    def test_only_warnings_are_exit_code_3(self):
        server = self.serve(self.changed({"lenient": frozenset({"bad key"})}))
        card = examine(server.url, "--only", "handshake")
        self.assertEqual((card.code, card.errors), (3, ""), card.text)


if __name__ == "__main__":
    main()
