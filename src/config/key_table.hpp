#pragma once

#include <string>

namespace wsproxy::config {

/// Every key with its default, what is allowed and what it means, as the Markdown table of
/// docs/configuration.md.
std::string key_table();

}  // namespace wsproxy::config
