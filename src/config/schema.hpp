#pragma once

#include <nlohmann/json_fwd.hpp>

namespace wsproxy::config {

/// The JSON Schema (draft 2020-12) of the config file, for editors and Helm.
nlohmann::ordered_json schema();

}  // namespace wsproxy::config
