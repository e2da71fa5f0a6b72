#pragma once

#include <map>
#include <string>
#include <string_view>

namespace wsproxy::cli {

/// The samples of a page in Prometheus' text format, by name and labels as they stand there.
class MetricsText {
 public:
  explicit MetricsText(std::string_view page);

  /// All samples of that name, of which the labels contain `label` (such as `trial="level1_none"`).
  double sum(std::string_view name, std::string_view label = {}) const;
  bool has(std::string_view name) const;

 private:
  std::map<std::string, double, std::less<>> samples_;
};

}  // namespace wsproxy::cli
