#pragma once

#include <string>

#include "http/request_head.hpp"
#include "http/response_head.hpp"

namespace wsproxy::http {

/// Beast's parser over a whole head that has passed problem_with_lines(). Returns Beast's words for
/// what is wrong, empty when right. The field values are trimmed; names keep their case.
std::string parse_request_head(const std::string& text, RequestHead& to);
/// Leaves `raw` alone.
std::string parse_response_head(const std::string& text, ResponseHead& to);

}  // namespace wsproxy::http
