"""Holds src/ against its floors, after checking that each rule can fail.

usage: layering_test.py SOURCE_TREE
"""

import sys
import tempfile
import unittest
from pathlib import Path

from rules import FLOORS, breaches


class Rules(unittest.TestCase):
    def found(self, name, *lines, others=()):
        """The breaches of a house with one file `name` of these lines beside empty headers `others`."""
        with tempfile.TemporaryDirectory() as directory:
            source = Path(directory)
            for path, text in [(other, "#pragma once") for other in others] + [(name, "\n".join(lines))]:
                (source / path).parent.mkdir(parents=True, exist_ok=True)
                (source / path).write_text(text)
            return list(breaches(source))

    def test_an_include_of_a_higher_floor_is_a_breach(self):
        for room, allowed in FLOORS.items():
            if "." in room:
                continue
            for other in FLOORS:
                if "." in other:
                    continue
                header = f"{other}/x.hpp"
                found = self.found(f"{room}/a.cpp", f'#include "{header}"', others=[header])
                may = other == room or other in allowed
                self.assertEqual(found, [] if may else [f'{room}/a.cpp:1: "{header}": {room} may not include {other}'])

    def test_rooms_of_one_floor_do_not_include_each_other(self):
        self.assertTrue(self.found("websocket/a.cpp", '#include "deflate/x.hpp"', others=["deflate/x.hpp"]))
        self.assertTrue(self.found("relay/a.cpp", '#include "net/x.hpp"', others=["net/x.hpp"]))

    def test_relay_says_what_it_does_through_an_interface_of_its_own(self):
        header = "telemetry/counters.hpp"
        self.assertTrue(self.found("relay/meter.hpp", "#pragma once", f'#include "{header}"', others=[header]))

    def test_a_pure_room_knows_no_socket_clock_log_or_thread(self):
        for line in (
            "#include <boost/asio/io_context.hpp>",
            "#include <thread>",
            "#include <spdlog/spdlog.h>",
            "#include <sys/socket.h>",
            "#include <random>",
            "const auto t = Clock::now();",
            'spdlog::info("x");',
            "thread_local int n = 0;",
        ):
            self.assertTrue(self.found("relay/a.cpp", line), line)
            self.assertEqual(self.found("server/a.cpp", line), [], line)

    def test_config_and_telemetry_know_no_event_loop(self):
        for room in ("config", "telemetry"):
            self.assertTrue(self.found(f"{room}/a.cpp", "#include <boost/asio/post.hpp>"))

    def test_time_types_and_comments_are_no_breach(self):
        self.assertEqual(
            self.found("relay/a.cpp", "#include <chrono>", "// Clock::now() stays outside", 'f("co_await");'), []
        )

    def test_a_coroutine_is_a_breach_anywhere(self):
        self.assertTrue(self.found("server/a.cpp", "  co_await x;"))

    def test_a_header_needs_its_guard_and_a_path_from_src(self):
        self.assertTrue(self.found("base/a.hpp", "int n();"))
        self.assertTrue(self.found("base/a.cpp", '#include "a.hpp"', others=["base/a.hpp"]))

    def test_a_room_without_a_floor_is_a_breach(self):
        self.assertTrue(self.found("misc/a.cpp", ""))


class House(unittest.TestCase):
    source = None

    def test_every_file_keeps_to_its_floor(self):
        self.assertTrue((self.source / "main.cpp").is_file())
        found = list(breaches(self.source))
        self.assertEqual(found, [], "\n" + "\n".join(found))


if __name__ == "__main__":
    House.source = Path(sys.argv.pop()) / "src"
    unittest.main()
