// Who a client is, of fields that anybody may have written. The first byte chooses how many of the nearest
// hops are trusted, each further line is a field's value: X-Forwarded-For while it does not begin with a
// semicolon, then Forwarded. The answer is the peer or something that looks like one address of the fields,
// and more trust never brings the answer nearer.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/client_address.hpp"
#include "http/forwarded.hpp"
#include "http/head_rules.hpp"
#include "http/request_target.hpp"

namespace {

using namespace wsproxy;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

constexpr std::string_view kPeer = "192.0.2.1";

/// The answer when so many addresses, from the nearest on, are trusted.
std::string answer(const http::Fields& fields, std::size_t trusted, std::vector<std::string>& asked) {
  asked.clear();
  return http::client_address(fields, kPeer, [&](const std::string& address) {
    asked.push_back(address);
    return asked.size() <= trusted;
  });
}

void check_walk(const http::Fields& fields, std::string_view all, std::size_t most) {
  std::vector<std::string> asked;
  std::vector<std::string> before;
  require(answer(fields, 0, before) == kPeer, "who is not trusted is the client");
  for (std::size_t trusted = 1; trusted <= most; ++trusted) {
    const std::string address = answer(fields, trusted, asked);
    require(address == kPeer || all.find(address) != std::string_view::npos,
            "an address stands in the fields");
    require(!address.empty() && address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos,
            "an address has an address's characters");
    require(asked.size() <= trusted + 1, "the walk ends at the first that is not trusted");
    for (std::size_t i = 0; i < std::min(before.size(), asked.size()); ++i) {
      require(before[i] == asked[i], "more trust does not change the way so far");
    }
    before = asked;
  }
}

/// Without quotes and brackets the walk is simple: from the right, to the first of which the characters are
/// none of an address.
void check_plain_list(const http::Fields& fields, std::string_view list) {
  if (list.find_first_of("\"[]\\;= \t") != std::string_view::npos) return;
  std::string expected{kPeer};
  while (true) {
    const std::size_t comma = list.rfind(',');
    std::string_view hop = list.substr(comma == std::string_view::npos ? 0 : comma + 1);
    const std::size_t colon = hop.find(':');
    if (colon != std::string_view::npos && hop.rfind(':') == colon) {
      const std::string_view port = hop.substr(colon + 1);
      if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos)
        break;
      hop = hop.substr(0, colon);
    }
    if (hop.find_first_of(".:") == std::string_view::npos) break;
    if (hop.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) break;
    expected = hop;
    if (comma == std::string_view::npos) break;
    list = list.substr(0, comma);
  }
  require(http::client_address(fields, kPeer, [](const std::string&) { return true; }) == expected,
          "the walk is from the right");
}

/// What goes on to the app is one request target, and stays below the base path.
void check_target(std::string_view target) {
  for (const std::string_view method : {"GET", "OPTIONS", "POST"}) {
    if (!http::target_suits(method, target)) continue;
    const std::string passed = http::target_for_app(method, target, "/base");
    require(passed == "*" || passed.starts_with("/base"), "a target is below the base path");
    require(passed == "*" || passed == "/base" || passed.find_first_of("/?", 5) == 5, "of whole segments");
    require(passed.find_first_of(" \r\n#") == std::string::npos, "a target fits a request line");
    require(http::target_suits(method, passed), "and is one");
    const auto parts = http::split_target(target);
    require(parts.authority.empty() || http::is_authority(parts.authority), "a whole URL has an authority");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  http::Fields fields;
  std::string_view left = text;
  std::string plain;
  bool has_for = false;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    const std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.starts_with(';')) {
      fields.add("Forwarded", std::string{line.substr(1)});
    } else {
      fields.add("X-Forwarded-For", std::string{line});
      plain = line;
      has_for = true;
    }
  }
  check_walk(fields, text, 1U + data[0] % 16U);
  if (has_for && fields.count("x-forwarded-for") == 1) check_plain_list(fields, plain);
  check_target(text);
  return 0;
}
