#pragma once

#include <string_view>

#include "config/scalar.hpp"

namespace wsproxy::config {

/// Valid UTF-8 without control characters: what may go into a log line, a label or a file name.
bool is_printable(std::string_view text);

// What the texts of the file must be. The optional ones may be empty.
TextRule any_text_rule();
TextRule path_rule();
TextRule optional_path_rule();
TextRule optional_host_rule();
TextRule host_pattern_rule();  // a name, or *. and a name; may be empty
TextRule path_prefix_rule();   // may be empty
TextRule origin_rule();
TextRule cidr_rule();
TextRule dsn_rule();

}  // namespace wsproxy::config
