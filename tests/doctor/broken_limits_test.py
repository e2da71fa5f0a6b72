"""Servers without limits are told so, and no check is one that cannot fail."""

import surroundings  # noqa: F401, first
from harness import main

from doctor import DoctorTest, examine
import broken_server
import limits_faults


class Limits(DoctorTest):
    def test_each_fault_is_found_by_its_check(self):
        # Bombs and floods keep this process busy: beside others they would be late, and be told that they are silent.
        self.examine_faults(limits_faults.FAULTS, at_once=1)


class EveryCheck(DoctorTest):
    def test_each_check_there_is_has_a_fault_and_each_fault_a_check(self):
        self.make_authorities()
        ids = {check["id"] for check in examine(self.serve_tls().url, "--json", **self.trusting).checks()}
        self.assertGreater(len(ids), 60)
        self.assertEqual(ids, {fault.check for fault in broken_server.ALL})

    def test_no_two_faults_have_one_name(self):
        names = [str(fault) for fault in broken_server.ALL]
        self.assertEqual(sorted(set(names)), sorted(names))


if __name__ == "__main__":
    main()
