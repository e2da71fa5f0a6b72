#include "cli/transcript.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::cli {

TEST_CASE("each line of a head is marked, and the blank line is left out") {
  CHECK(head_lines("HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n") ==
        "< HTTP/1.1 101 Switching Protocols\n< A: b\n");
  CHECK(head_lines("no end") == "< no end\n");
  CHECK(head_lines("").empty());
}

TEST_CASE("a binary message is shown by its size and its first bytes") {
  CHECK(binary_line({}) == "binary, 0 bytes:\n");
  CHECK(binary_line(base::as_bytes("\x01\xAB")) == "binary, 2 bytes: 01 ab\n");
  const std::string exact(32, 'a');
  CHECK(binary_line(base::as_bytes(exact)).ends_with(" 61\n"));
  const std::string longer(33, 'a');
  CHECK(binary_line(base::as_bytes(longer)).ends_with(" 61 ...\n"));
}

TEST_CASE("6455 7.1.5: a close frame without a code counts as 1005") {
  CHECK(closed_line(1000, "bye") == "closed: 1000 bye\n");
  CHECK(closed_line(4000, "") == "closed: 4000\n");
  CHECK(closed_line(0, "") == "closed: 1005\n");
}

}  // namespace wsproxy::cli
