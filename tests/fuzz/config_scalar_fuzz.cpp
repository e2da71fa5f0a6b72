// The texts inside a configuration and on the command line, one a run: the first byte says what it is to be.
// What is accepted is written in one way that is accepted again and means the same; what is refused has a
// reason, in which a secret does not stand.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <arpa/inet.h>

#include "base/utf8.hpp"
#include "config/address.hpp"
#include "config/environment.hpp"
#include "config/origin.hpp"
#include "config/route_match.hpp"
#include "config/sentry_dsn.hpp"
#include "config/text_rules.hpp"
#include "config/units.hpp"

namespace {

using namespace wsproxy;
using namespace wsproxy::config;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_size(std::string_view text) {
  const auto size = parse_size(text);
  require(static_cast<bool>(size) == size.problem.empty(), "a refusal has a reason");
  if (!size) return;
  require(*parse_size(size_text(*size.value)).value == *size.value, "a size comes back as it was");
  std::uint64_t number = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    const auto digit = static_cast<std::uint64_t>(text[digits] - '0');
    require(number <= (UINT64_MAX - digit) / 10, "only a number that fits is a size");
    number = number * 10 + digit;
  }
  require(digits > 0, "a size is a number");
  require(text.ends_with('B') || *size.value == number, "a plain number is bytes");
  require(*size.value >= number, "a size with a unit is no less than its number");
}

void check_duration(std::string_view text) {
  const auto duration = parse_duration(text);
  require(static_cast<bool>(duration) == duration.problem.empty(), "a refusal has a reason");
  if (!duration) return;
  require(duration.value->count() >= 0, "no duration is negative");
  require(*parse_duration(duration_text(*duration.value)).value == *duration.value, "a duration comes back");
}

void check_address(std::string_view text) {
  const auto address = parse_address(text);
  require(static_cast<bool>(address) == address.problem.empty(), "a refusal has a reason");
  if (!address) return;
  require(address.value->is_unix() || is_host(address.value->host), "an address has a host or a path");
  require(*parse_address(address.value->text()).value == *address.value, "an address comes back");
}

void check_url(std::string_view text) {
  const auto url = parse_upstream_url(text);
  require(static_cast<bool>(url) == url.problem.empty(), "a refusal has a reason");
  if (!url) return;
  require(url.value->is_unix() || (is_host(url.value->host) && url.value->port != 0), "a URL has a host");
  require(url.value->base_path.find_first_of(" \r\n?#") == std::string::npos, "a path fits a request line");
  require(url.value->authority().find_first_of("/@ \r\n") == std::string::npos, "a Host fits its line");
  require(*parse_upstream_url(url.value->text()).value == *url.value, "a URL comes back");
}

void check_origin(std::string_view text, bool may_be_pattern) {
  const auto origin = parse_origin(text, may_be_pattern);
  if (!origin) return;
  require(!origin->scheme.empty() && !origin->host.empty(), "an origin has a scheme and a host");
  require(may_be_pattern || !origin->is_pattern, "only who may writes a star");
  if (origin->is_pattern) {
    const std::string below = std::string{origin->scheme} + "://a" + std::string{origin->host} +
                              (origin->port == 0 ? "" : ":" + std::to_string(origin->port));
    const auto covered = parse_origin(below, false);
    require(covered && covers(*origin, *covered), "a pattern covers what is below it");
    const std::string itself = std::string{origin->scheme} + "://" + std::string{origin->host.substr(1)};
    const auto bare = parse_origin(itself, false);
    require(!bare || !covers(*origin, *bare), "and not the domain itself");
  } else {
    require(covers(*origin, *origin), "an origin covers itself");
  }
}

/// Whether that part of the text stands in a reason by itself: libFuzzer puts our own words into its inputs.
bool is_said_anyway(std::string text, std::size_t at, std::string_view part) {
  for (const char filling : {'q', '\xff'}) {
    text.replace(at, part.size(), part.size(), filling);
    const auto dsn = parse_sentry_dsn(text);
    if (!dsn && dsn.problem.find(part) != std::string::npos) return true;
  }
  return false;
}

void check_dsn(std::string_view text) {
  const auto dsn = parse_sentry_dsn(text);
  require(static_cast<bool>(dsn) == dsn.problem.empty(), "a refusal has a reason");
  if (!dsn) {
    // The reasons are ours; a key of some length in one would be a copy.
    const std::size_t at = text.find('@');
    if (at != std::string_view::npos && at >= 40) {
      const std::string_view key = text.substr(at - 16, 16);
      require(dsn.problem.find(key) == std::string::npos || is_said_anyway(std::string{text}, at - 16, key),
              "a reason holds no secret");
    }
    return;
  }
  const SentryDsn& read = *dsn.value;
  require(read.target().starts_with("/") || read.target().find("/api/") != std::string::npos,
          "reports have a place");
  require(read.target().find_first_of(" \r\n") == std::string::npos, "a target fits a request line");
  require(read.authority().find_first_of("/@ \r\n") == std::string::npos, "a Host fits its line");
  const auto again = parse_sentry_dsn(read.public_text());
  require(again && again.value->public_key == read.public_key && again.value->project == read.project &&
              again.value->host == read.host && again.value->port == read.port &&
              again.value->prefix == read.prefix && again.value->secret_key.empty(),
          "without its secret it is the same");
}

void check_cidr(std::string_view text) {
  if (!cidr_problem(text).empty()) return;
  const std::string address{text.substr(0, text.find('/'))};
  in6_addr bytes{};
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &bytes) == 1;
  require(is_v4 || inet_pton(AF_INET6, address.c_str(), &bytes) == 1, "a network has an address");
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return;
  const auto length = std::strtoull(std::string{text.substr(slash + 1)}.c_str(), nullptr, 10);
  require(length <= (is_v4 ? 32U : 128U), "no prefix is longer than its address");
}

void check_expansion(std::string_view text) {
  const auto variables = [](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "$B${A}";
    if (name == "E") return "";
    return std::nullopt;
  };
  const Expansion once = expand(text, variables);
  require(once.problem.empty() || once.text.empty() || !once.problem.empty(), "a problem is told");
  const Expansion back = expand(escape_dollars(text), variables);
  require(back.problem.empty() && back.text == text, "what is escaped expands to itself");
}

void check_match(std::string_view text) {
  const std::size_t cut = std::min(text.find(' '), text.size());
  const std::string_view host = text.substr(0, cut);
  const std::string_view path = text.substr(std::min(cut + 1, text.size()));
  for (const RouteMatch& match : {RouteMatch{"*.example.org", "/chat/"}, RouteMatch{"echo.example.org", ""},
                                  RouteMatch{"", "/a"}, RouteMatch{"", ""}}) {
    const bool is_match = matches(match, host, path);
    require(!is_match || path.starts_with(match.path), "a path matches by its beginning");
    require(!is_match || match.host.empty() || host.size() >= 13, "a host matches by its labels");
    require(is_match == (matches({match.host, ""}, host, path) && matches({"", match.path}, host, path)),
            "host and path are judged apart");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 10) {
    case 0:
      check_size(text);
      break;
    case 1:
      check_duration(text);
      break;
    case 2:
      check_address(text);
      break;
    case 3:
      check_url(text);
      break;
    case 4:
      check_origin(text, false);
      break;
    case 5:
      check_origin(text, true);
      break;
    case 6:
      check_dsn(text);
      break;
    case 7:
      check_cidr(text);
      break;
    case 8:
      check_expansion(text);
      break;
    default:
      check_match(text);
  }
  return 0;
}
