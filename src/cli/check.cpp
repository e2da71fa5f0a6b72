#include "cli/check.hpp"

#include <iostream>

#include "config/dump.hpp"
#include "config/unsupported.hpp"
#include "config/yaml_reader.hpp"
#include "deflate/method.hpp"

namespace wsproxy::cli {

int check(const std::string& config_file) {
  const auto result = config::load_config(config_file, config::process_environment());
  for (const config::Error& error : result.errors) std::cerr << error.text() << "\n";
  if (!result.errors.empty()) return 1;
  const auto unsupported = config::unsupported_features(result.config, {deflate::has_isal()});
  for (const std::string& feature : unsupported) std::cerr << config_file << ": " << feature << "\n";
  if (!unsupported.empty()) return 1;
  std::cout << config::dump(result.config) << std::flush;
  return std::cout.good() ? 0 : 1;
}

}  // namespace wsproxy::cli
