#pragma once

#include <string_view>

#include "http/request_head.hpp"

namespace wsproxy::http {

/// The rules of RFC 9112 that Beast's parser is lenient about, and on which a proxy and an app that
/// disagree can be played off against each other. Each returns a literal, empty when all is well.

/// Section 5: every header line is a token, a colon at once, and a value; no folded line.
/// `head` is whole lines, each ended by CRLF, and the blank line.
std::string_view problem_with_lines(std::string_view head);

/// Section 3: one Host that is a host, a target in a form that the method allows, one framing.
std::string_view problem_with_request(const RequestHead& request);

/// Section 6: at most one of Content-Length and Transfer-Encoding, at most once, in a form that
/// leaves no doubt; no Transfer-Encoding but chunked, and none in HTTP/1.0.
std::string_view problem_with_framing(const Fields& fields, unsigned version_minor);

}  // namespace wsproxy::http
