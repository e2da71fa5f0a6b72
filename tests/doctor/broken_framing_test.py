"""Servers with wrong frames, or that take wrong ones, are told so."""

import surroundings  # noqa: F401, first
from harness import main

from doctor import DoctorTest
import framing_faults


class Framing(DoctorTest):
    def test_each_fault_is_found_by_its_check(self):
        self.examine_faults(framing_faults.FAULTS)


if __name__ == "__main__":
    main()
