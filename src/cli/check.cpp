#include "cli/check.hpp"

#include <iostream>

#include "cli/tls_check.hpp"
#include "config/dump.hpp"
#include "config/unsupported.hpp"
#include "config/yaml_reader.hpp"
#include "deflate/method.hpp"

namespace wsproxy::cli {

int check(const std::string& config_file) {
  std::vector<std::string> warnings;
  const auto look_at_tls = [&warnings](const config::Config& config) {
    TlsCheck found = check_tls(config);
    warnings = std::move(found.warnings);
    return std::move(found.errors);
  };
  const auto result = config::load_config(config_file, config::process_environment(), look_at_tls);
  for (const std::string& warning : warnings)
    std::cerr << "warning: " << config_file << ": " << warning << "\n";
  for (const config::Error& error : result.errors) std::cerr << error.text() << "\n";
  if (!result.errors.empty()) return 1;
  const auto unsupported = config::unsupported_features(result.config, {deflate::has_isal()});
  for (const std::string& feature : unsupported) std::cerr << config_file << ": " << feature << "\n";
  if (!unsupported.empty()) return 1;
  std::cout << config::dump(result.config) << std::flush;
  return std::cout.good() ? 0 : 1;
}

}  // namespace wsproxy::cli
