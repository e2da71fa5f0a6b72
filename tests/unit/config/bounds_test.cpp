#include <catch2/catch.hpp>

#include "config/scalar.hpp"
#include "config/yaml_reader.hpp"
#include "websocket/close_code.hpp"

/// Every limit at its edge and one past it.
namespace wsproxy::config {
namespace {

struct Bounds {
  std::string section;
  std::string key;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

std::vector<Error> errors_with(const Bounds& bounds, const std::string& value) {
  const std::string yaml = bounds.section.empty() ? bounds.key + ": " + value
                                                  : bounds.section + ":\n  " + bounds.key + ": " + value;
  CAPTURE(yaml);
  return read_config(yaml, "f", [](const std::string&) { return std::nullopt; }).errors;
}

TEST_CASE("a value at its limit is taken and one past it is refused") {
  const std::vector<std::string> close_codes{"1000", "1003", "1007", "1014", "3000", "4999"};
  const std::vector<std::string> no_close_codes{"0",    "999",  "1004", "1005",  "1006",
                                                "1015", "2999", "5000", "65536", "x"};
  const std::string huge = "99999999999999999999999";
  const auto row = GENERATE_COPY(values<Bounds>({
      {"upstream", "connect_timeout", {"1ms", "1h"}, {"0s", "3600001ms", "61m", "-1s", huge + "s"}},
      {"upstream", "response_timeout", {"1ms", "1h"}, {"0s", "2h"}},
      {"upstream", "max_connections", {"0", "10000000"}, {"10000001", "-1", "1.5", "ten", huge}},
      {"upstream", "lost_code", close_codes, no_close_codes},
      {"drain", "close_code", close_codes, no_close_codes},
      {"compression", "engine", {"auto", "zlib", "isal"}, {"brotli", "ZLIB", "0"}},
      {"compression", "level", {"1", "9"}, {"0", "10", "256", huge}},
      {"compression", "min_size", {"0", "64KiB"}, {"65537", "1GiB", huge}},
      {"compression", "window_bits", {"9", "15"}, {"8", "16", "265"}},
      {"compression", "client_window_bits", {"9", "15"}, {"8", "16", "265"}},
      {"compression", "history", {"auto", "0", "32KiB"}, {"32769", "4294967296", "AUTO", "all"}},
      {"compression", "memory", {"1MiB", "1024GiB"}, {"1048575", "1025GiB"}},
      {"limits", "max_connections", {"1", "10000000"}, {"0", "10000001", "4294967297"}},
      {"limits", "max_connections_per_ip", {"0", "10000000"}, {"10000001"}},
      {"limits", "max_message_size", {"0", "1024GiB"}, {"1025GiB", huge}},
      {"limits", "max_header_size", {"1KiB", "1MiB"}, {"1023", "1048577"}},
      {"limits", "write_buffer", {"128KiB", "1GiB"}, {"131071", "1073741825"}},
      {"limits", "handshakes_per_second_per_ip", {"0", "10000000"}, {"10000001", "-1"}},
      {"limits", "messages_per_second", {"0", "10000000"}, {"10000001", "-1"}},
      {"limits", "bytes_per_second", {"0", "1024GiB"}, {"1025GiB", huge}},
      {"limits", "control_frames_per_second", {"0", "10000000"}, {"10000001"}},
      {"limits", "rate_action", {"slow", "close"}, {"drop", "SLOW"}},
      {"upstream", "proxy_protocol", {"off", "v1", "v2"}, {"v3", "on"}},
      {"http", "response_timeout", {"1ms", "24h"}, {"0", "25h"}},
      {"http", "client_timeout", {"1ms", "24h"}, {"0", "25h"}},
      {"timeouts", "handshake", {"1ms", "1h"}, {"0", "61m"}},
      {"timeouts", "ping_interval", {"0", "24h"}, {"25h"}},
      {"timeouts", "ping_timeout", {"1ms", "1h"}, {"0", "61m"}},
      {"timeouts", "idle", {"0", "8760h"}, {"8761h"}},
      {"timeouts", "close", {"1ms", "1h"}, {"0", "61m"}},
      {"drain", "delay", {"0", "1h"}, {"61m"}},
      {"drain", "spread", {"0", "1h"}, {"61m"}},
      {"drain", "timeout", {"0", "24h"}, {"25h"}},
      {"log", "level", {"error", "warning", "info", "debug"}, {"warn", "INFO"}},
      {"log", "format", {"auto", "text", "json"}, {"xml"}},
      {"", "workers", {"auto", "1", "256"}, {"0", "257", "all", huge}},
  }));
  for (const std::string& value : row.good) {
    CAPTURE(row.key, value);
    CHECK(errors_with(row, value).empty());
  }
  for (const std::string& value : row.bad) {
    CAPTURE(row.key, value);
    CHECK(errors_with(row, value).size() == 1);
  }
}

// config and websocket are rooms of one floor, so each has the rule; here they are held together.
TEST_CASE("6455 7.4: the close codes of the file are those that may be on the wire") {
  std::uint16_t stored = 0;
  CloseCode close_code{stored};
  for (unsigned code = 0; code <= UINT16_MAX; ++code) {
    const bool is_taken = close_code.read(std::to_string(code)).empty();
    if (is_taken != websocket::may_be_on_the_wire(static_cast<std::uint16_t>(code))) FAIL(code);
  }
}

}  // namespace
}  // namespace wsproxy::config
