"""Servers with wrong permessage-deflate are told so."""

import surroundings  # noqa: F401, first
from harness import main

from doctor import DoctorTest
import deflate_faults
import offer_faults


class Offers(DoctorTest):
    def test_each_fault_is_found_by_its_check(self):
        self.examine_faults(offer_faults.FAULTS)


class Deflate(DoctorTest):
    def test_each_fault_is_found_by_its_check(self):
        self.examine_faults(deflate_faults.FAULTS)


if __name__ == "__main__":
    main()
