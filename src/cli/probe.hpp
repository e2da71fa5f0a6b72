#pragma once

#include <string>

namespace wsproxy::cli {

/// 0 when the side port at `url` (http://127.0.0.1:9090/readyz for one without a path) says 200.
int probe(const std::string& url);

}  // namespace wsproxy::cli
