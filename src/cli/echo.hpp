#pragma once

#include <cstdint>
#include <string>

namespace wsproxy::cli {

/// An echo app without compression, to have something behind the proxy. Runs until SIGTERM or SIGINT.
int echo(const std::string& host, std::uint16_t port);

}  // namespace wsproxy::cli
