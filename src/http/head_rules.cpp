#include "http/head_rules.hpp"

#include <cstdint>
#include <limits>

#include "base/ascii.hpp"
#include "http/request_target.hpp"

namespace wsproxy::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
/// An app that counts with a sign would see another length.
constexpr auto kMaxLength = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

std::string_view problem_with_field_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return "a folded header line";
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return "a header line without a colon";
  const std::string_view name = line.substr(0, colon);
  if (name.ends_with(' ') || name.ends_with('\t')) return "white space before the colon of a header line";
  if (!base::is_token(name)) return "a header name that is no token";
  return {};
}

/// Apps behind CGI-like interfaces may take these for what frames the body.
bool has_twin_of_framing(const Fields& fields) {
  return fields.count("content_length") + fields.count("transfer_encoding") > 0;
}

std::string_view problem_with_host(const RequestHead& request) {
  const std::size_t hosts = request.fields.count("host");
  if (hosts > 1) return "more than one Host";
  if (hosts == 0) return request.version_minor >= 1 ? "no Host" : "";
  const std::string_view host = request.fields.first("host");
  if (!host.empty() && !is_authority(host)) return "a Host that is no host";
  return {};
}

}  // namespace

std::string_view problem_with_lines(std::string_view head) {
  std::size_t begin = head.find(kLineEnd) + kLineEnd.size();
  if (head.substr(0, begin).find('\t') != std::string_view::npos) return "a tab in the first line";
  while (true) {
    const std::size_t end = head.find(kLineEnd, begin);
    if (end == std::string_view::npos || end == begin) return {};
    if (const auto problem = problem_with_field_line(head.substr(begin, end - begin)); !problem.empty()) {
      return problem;
    }
    begin = end + kLineEnd.size();
  }
}

std::string_view problem_with_request(const RequestHead& request) {
  if (!target_suits(request.method, request.target)) return "a request target that is no valid one";
  if (const auto problem = problem_with_host(request); !problem.empty()) return problem;
  if (has_twin_of_framing(request.fields)) return "an underscore in Content-Length or Transfer-Encoding";
  return problem_with_framing(request.fields, request.version_minor);
}

std::string_view problem_with_framing(const Fields& fields, unsigned version_minor) {
  const std::size_t lengths = fields.count("content-length");
  const std::size_t codings = fields.count("transfer-encoding");
  if (lengths > 0 && codings > 0) return "both Content-Length and Transfer-Encoding";
  if (lengths > 1) return "more than one Content-Length";
  if (codings > 1) return "more than one Transfer-Encoding";
  const auto length = base::parse_decimal(fields.first("content-length"));
  if (lengths == 1 && !length) return "a Content-Length that is no number";
  if (length && *length > kMaxLength) return "a Content-Length that is too large for some";
  if (codings == 0) return {};
  if (version_minor == 0) return "Transfer-Encoding in HTTP/1.0";
  // Sections 6.1 and 7: nobody was asked for another, and the end of its body would be in doubt.
  if (!base::iequals(fields.first("transfer-encoding"), "chunked")) {
    return "a Transfer-Encoding other than chunked";
  }
  return {};
}

}  // namespace wsproxy::http
