"""What the doctor finds out by itself, and which checks it leaves out for it."""

import unittest

import surroundings  # noqa: F401, first
from harness import frames, main

from doctor import DoctorTest, examine
from faults import drops
from leaving import Closing


def refuses_messages(self, opcode, data):
    raise Closing(frames.close_payload(1008, "I know no such message"))


class Facts(DoctorTest):
    def examine(self, *args, **changes):
        self.server = self.serve(self.changed(changes))
        report = examine(self.server.url, "--json", "--timeout", "500ms", *args)
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

    @unittest.expectedFailure  # the doctor takes it for one to which no client can connect
    def test_a_server_that_answers_no_pings_fails_at_pings_alone(self):
        server = self.serve(self.changed({"on_ping": lambda self, payload: None}))
        report = examine(server.url, "--json", "--timeout", "500ms", "--only", "handshake", "--only", "framing.ping")
        self.assertEqual([check["id"] for check in report.checks("fail", "warn")], ["framing.ping"], report.told("fail", "warn"))


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
        args = ("--only", "framing.ping", "--only", "handshake", "--only", "deflate.message", "--timeout", "500ms")
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
