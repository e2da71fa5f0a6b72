#pragma once

#include <chrono>
#include <string>

#include "cli/url.hpp"

namespace wsproxy::cli {

/// What a side port answered.
struct HttpAnswer {
  int status = 0;  // 0: there was no answer, and `reason` says why
  std::string reason;
  std::string body;
};

/// One GET, for a tool that has nothing else to do meanwhile. An answer that is not complete, or has a body
/// of more than `most_body` bytes, is none.
HttpAnswer http_get(const Url& url, std::chrono::milliseconds deadline, std::size_t most_body);

}  // namespace wsproxy::cli
