#pragma once

namespace wsproxy::cli {

/// Prints the JSON Schema of the config.
int schema();

}  // namespace wsproxy::cli
