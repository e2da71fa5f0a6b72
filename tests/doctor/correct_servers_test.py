"""Servers with nothing wrong with them pass, those that do odd things that they may among them."""

import concurrent.futures

import surroundings  # noqa: F401, first
from harness import main

from doctor import DoctorTest, examine, patience
from odd_servers import INTERRUPTING, ODD

PATIENCE = patience("2s")


class Correct(DoctorTest):
    def test_it_passes_every_check_with_deep(self):
        report = examine(self.serve().url, "--deep", "--json", "--timeout", patience("500ms"))
        self.assertEqual((report.code, report.checks("warn", "fail", "skip")), (0, []), report.told("warn", "fail", "skip"))
        self.assertEqual(report.json["summary"], {"pass": len(report.checks()), "warn": 0, "fail": 0, "skip": 0})
        facts = report.json["facts"]
        self.assertEqual((facts["echo"], facts["takes_messages"], facts["permessage_deflate"]), (True, True, "permessage-deflate"))

    def test_without_deep_only_the_deep_ones_are_skipped(self):
        report = examine(self.serve().url, "--json", "--timeout", PATIENCE)
        self.assertEqual((report.code, report.checks("warn", "fail")), (0, []), report.told("warn", "fail"))
        self.assertTrue(report.checks("skip"))
        for check in report.checks():
            self.assertEqual(check["status"], "skip" if check["deep"] else "pass", check)

    def test_it_passes_with_tls(self):
        self.make_authorities()
        report = examine(self.serve_tls().url, "--json", "--timeout", PATIENCE, **self.trusting)
        self.assertEqual((report.code, report.checks("warn", "fail")), (0, []), report.told("warn", "fail"))
        passed = {check["id"] for check in report.checks("pass")}
        self.assertLess({"tls.certificate", "tls.old_versions", "handshake.accept", "framing.lengths", "deflate.message"}, passed)


class Odd(DoctorTest):
    def complaints(self, changes):
        report = examine(self.serve(self.changed(changes)).url, "--json", "--timeout", PATIENCE)
        said = report.told("warn", "fail")
        return said if report.json["facts"]["echo"] else said + "it is not taken for an echo"

    def each(self, servers):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            said = dict(zip(servers, pool.map(self.complaints, servers.values())))
        self.assertEqual({name: words for name, words in said.items() if words}, {})

    def test_nothing_is_said_against_what_a_server_may_do(self):
        self.each(ODD)

    def test_messages_and_pings_of_its_own_are_no_answers(self):
        self.each(INTERRUPTING)


if __name__ == "__main__":
    main()
