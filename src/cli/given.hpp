#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/environment.hpp"
#include "config/scalar.hpp"

namespace CLI {
class Option;
}

namespace wsproxy::cli {

/// What is wrong with the command line or the environment, in one line.
struct UsageError {
  std::string problem;
};

/// Takes values from an option or, when it was not given, from a variable of the environment (an empty
/// name is none), and judges them: a bad one throws a UsageError that names where it came from.
class Givens {
 public:
  explicit Givens(const config::Environment& environment) : environment_(environment) {}

  std::optional<std::string> text(const CLI::Option* option, const std::string& variable) const;
  std::optional<std::string> host(const CLI::Option* option, const std::string& variable) const;
  std::optional<std::uint16_t> port(const CLI::Option* option, const std::string& variable) const;
  std::optional<std::string> upstream_url(const CLI::Option* option, const std::string& variable) const;
  std::optional<std::string> address(const CLI::Option* option, const std::string& variable) const;
  std::optional<std::string> dsn(const CLI::Option* option, const std::string& variable) const;
  bool flag(const CLI::Option* option, const std::string& variable) const;
  int verbosity(const CLI::Option* option, const std::string& variable) const;

 private:
  struct Given {
    std::string value;
    std::string source;  // --port or WS_PROXY_PORT
  };
  std::optional<Given> find(const CLI::Option* option, const std::string& variable) const;
  std::optional<Given> find_in_environment(const std::string& variable) const;

  const config::Environment& environment_;
};

}  // namespace wsproxy::cli
