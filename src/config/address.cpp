#include "config/address.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/ascii.hpp"

namespace wsproxy::config {
namespace {

constexpr std::size_t kLongestUnixPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kLongestName = 253;

bool is_ip(std::string_view text, int family) {
  if (text.find('\0') != std::string_view::npos) return false;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, std::string{text}.c_str(), bytes.data()) == 1;
}

bool is_name_char(char c) {
  return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_' || c == '.';
}

/// A name whose last label is a number would be a mistyped IPv4 address.
bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestName || text.front() == '.' || text.front() == '-') return false;
  if (text.find("..") != std::string_view::npos) return false;
  const auto last_dot = text.substr(0, text.size() - 1).rfind('.');
  const auto last_label = text.substr(last_dot == std::string_view::npos ? 0 : last_dot + 1);
  return !std::all_of(last_label.begin(), last_label.end(), base::is_digit) &&
         std::all_of(text.begin(), text.end(), is_name_char);
}

struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

std::string unix_path_problem(std::string_view path) {
  if (!path.starts_with('/') || path.size() == 1) return "has no absolute path";
  if (path.size() > kLongestUnixPath) {
    return "has a path longer than " + std::to_string(kLongestUnixPath) + " bytes";
  }
  return {};
}

Parsed<std::optional<std::uint16_t>> parse_port(std::string_view text) {
  using Result = Parsed<std::optional<std::uint16_t>>;
  if (text.empty()) return std::optional<std::uint16_t>{};
  const auto port = base::parse_decimal(text);
  if (!port) return Result::wrong("has a port that is not a number");
  if (*port > 65535) return Result::wrong("has a port over 65535");
  return std::optional{static_cast<std::uint16_t>(*port)};
}

/// `host`, `host:port`, `[ipv6]` or `[ipv6]:port`.
Parsed<HostPort> parse_host_port(std::string_view text) {
  using Result = Parsed<HostPort>;
  std::string_view host = text.substr(0, text.find(':'));
  std::string_view rest = text.substr(host.size());
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return Result::wrong("has no closing bracket");
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!is_ip(host, AF_INET6)) return Result::wrong("has no IPv6 address in its brackets");
    if (!rest.empty() && !rest.starts_with(':')) return Result::wrong("has no colon after the bracket");
  } else if (std::count(text.begin(), text.end(), ':') > 1) {
    return Result::wrong("has an IPv6 address without brackets");
  } else if (!host.empty() && !is_host(host)) {
    return Result::wrong("has a host that is neither a name nor an IP address");
  }
  if (host.empty()) return Result::wrong("has no host");
  const auto port = parse_port(rest.empty() ? rest : rest.substr(1));
  if (!port) return Result::wrong(port.problem);
  return HostPort{std::string{host}, *port};
}

std::string host_text(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_path_char(char c) {
  return c > ' ' && c < '\x7f';
}

/// Without slashes at its end: the client's own path follows.
Parsed<std::string> parse_base_path(std::string_view path) {
  using Result = Parsed<std::string>;
  if (path.find('?') != std::string_view::npos) return Result::wrong("has a query");
  if (path.find('#') != std::string_view::npos) return Result::wrong("has a fragment");
  if (!std::all_of(path.begin(), path.end(), is_path_char)) {
    return Result::wrong("has a character in its path that must be percent-encoded");
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string{path};
}

Parsed<UpstreamUrl> parse_unix_url(std::string_view path) {
  if (path.starts_with("//")) path.remove_prefix(2);
  const auto problem = unix_path_problem(path);
  if (!problem.empty()) return Parsed<UpstreamUrl>::wrong(problem);
  UpstreamUrl url;
  url.unix_path = path;
  url.port = 0;
  url.host = "localhost";
  return url;
}

/// What follows ws:// or wss://.
Parsed<UpstreamUrl> parse_tcp_url(std::string_view rest, bool tls) {
  using Result = Parsed<UpstreamUrl>;
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return Result::wrong("has a user, which is not supported");
  const auto host_port = parse_host_port(authority);
  if (!host_port) return Result::wrong(host_port.problem);
  const auto base_path = parse_base_path(rest.substr(authority.size()));
  if (!base_path) return Result::wrong(base_path.problem);
  UpstreamUrl url;
  url.tls = tls;
  url.host = host_port.value->host;
  url.port = host_port.value->port.value_or(tls ? 443 : 80);
  url.base_path = *base_path;
  if (url.port == 0) return Result::wrong("has port 0");
  return url;
}

/// Takes `scheme` off the front, whatever its case.
bool strip_scheme(std::string_view& text, std::string_view scheme) {
  if (!base::iequals(text.substr(0, scheme.size()), scheme)) return false;
  text.remove_prefix(scheme.size());
  return true;
}

}  // namespace

bool is_host(std::string_view host) {
  return is_ip(host, AF_INET) || is_ip(host, AF_INET6) || is_name(host);
}

std::string Address::text() const {
  return is_unix() ? "unix:" + unix_path : host_text(host) + ":" + std::to_string(port);
}

std::string UpstreamUrl::text() const {
  // Two slashes in front are taken for the beginning of an authority, which is empty.
  if (is_unix()) return (unix_path.starts_with("//") ? "ws+unix://" : "ws+unix:") + unix_path;
  return (tls ? "wss://" : "ws://") + authority() + base_path;
}

std::string UpstreamUrl::authority() const {
  const bool has_usual_port = is_unix() || port == (tls ? 443 : 80);
  return host_text(host) + (has_usual_port ? "" : ":" + std::to_string(port));
}

Parsed<Address> parse_address(std::string_view text) {
  using Result = Parsed<Address>;
  if (strip_scheme(text, "unix:")) {
    const auto problem = unix_path_problem(text);
    if (!problem.empty()) return Result::wrong(problem);
    return Address{{}, 0, std::string{text}};
  }
  if (text.find("://") != std::string_view::npos) return Result::wrong("is a URL");
  const auto host_port = parse_host_port(text);
  if (!host_port) return Result::wrong(host_port.problem);
  if (!host_port.value->port) return Result::wrong("has no port");
  return Address{host_port.value->host, *host_port.value->port, {}};
}

Parsed<UpstreamUrl> parse_upstream_url(std::string_view text) {
  if (strip_scheme(text, "ws+unix:")) return parse_unix_url(text);
  if (strip_scheme(text, "ws://")) return parse_tcp_url(text, false);
  if (strip_scheme(text, "wss://")) return parse_tcp_url(text, true);
  return Parsed<UpstreamUrl>::wrong("has another scheme");
}

std::string cidr_problem(std::string_view text) {
  const std::string_view address = text.substr(0, text.find('/'));
  const bool is_v6 = is_ip(address, AF_INET6);
  if (!is_v6 && !is_ip(address, AF_INET)) return "has no IP address";
  if (address.size() == text.size()) return {};
  const auto length = base::parse_decimal(text.substr(address.size() + 1));
  const std::uint64_t most = is_v6 ? 128 : 32;
  if (!length || *length > most) return "has a prefix length that is not 0 to " + std::to_string(most);
  return {};
}

}  // namespace wsproxy::config
