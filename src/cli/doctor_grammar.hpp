#pragma once

#include <string>
#include <vector>

#include "cli/doctor.hpp"

namespace CLI {
class App;
}

namespace wsproxy::cli {

/// The part of the command line that `doctor` has.
class DoctorGrammar {
 public:
  /// Options are kept here, so this outlives the parsing; `url` is where the URL goes.
  void add_to(CLI::App& app, std::string& url);
  /// Throws a UsageError for what cannot be meant.
  DoctorOptions options(const std::string& url) const;

 private:
  bool deep_ = false;
  bool as_json_ = false;
  std::vector<std::string> only_;
  std::vector<std::string> headers_;
  std::string timeout_ = "5s";
};

}  // namespace wsproxy::cli
