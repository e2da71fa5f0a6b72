#pragma once

#include <cstdint>
#include <string>

namespace wsproxy::cli {

/// Prints what compression should be set to in the proxy whose side port is at `url`, from what it does
/// within so many seconds, or, with 0, has done since its start. 0, also when there was too little traffic; 1
/// when it does not answer.
int tune(const std::string& url, std::uint32_t seconds, bool as_json);

}  // namespace wsproxy::cli
