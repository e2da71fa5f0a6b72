"""Servers with a wrong opening or closing handshake, or wrong TLS, are told so."""

import surroundings  # noqa: F401, first
from harness import main

from doctor import DoctorTest, examine, patience
import closing_faults
import handshake_faults
import tls_faults


class Handshake(DoctorTest):
    def test_each_fault_is_found_by_its_check(self):
        self.examine_faults(handshake_faults.FAULTS)


class Closing(DoctorTest):
    def test_each_fault_is_found_by_its_check(self):
        self.examine_faults(closing_faults.FAULTS)


class Tls(DoctorTest):
    def test_each_fault_is_found_by_its_check(self):
        self.make_authorities()
        self.examine_faults(tls_faults.FAULTS, at_once=1)  # an authority signs one after the other

    def test_a_bad_certificate_does_not_hide_the_rest(self):
        self.make_authorities()
        report = examine(self.serve_tls(own=False).url, "--json", "--timeout", patience("2s"), **self.trusting)
        self.assertEqual([check["id"] for check in report.checks("fail", "warn")], ["tls.certificate"], report.told("fail", "warn"))
        self.assertIn("framing.lengths", [check["id"] for check in report.checks("pass")])


if __name__ == "__main__":
    main()
