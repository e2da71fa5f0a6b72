#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "http/field.hpp"

namespace wsproxy::http {

/// Who the client is, seen through proxies that are trusted: `peer` when that is not one of them, else
/// the last address in X-Forwarded-For (or, where there is none, Forwarded, RFC 7239) that is not. Only
/// what trusted proxies wrote counts, so the walk is from the right, and ends at what is no address:
/// the answer is then the last trusted one. Addresses come without port and brackets.
std::string client_address(const Fields& fields, std::string_view peer,
                           const std::function<bool(const std::string&)>& is_trusted);

}  // namespace wsproxy::http
