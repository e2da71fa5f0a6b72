#include "cli/metrics_text.hpp"

#include <cstdlib>

namespace wsproxy::cli {

MetricsText::MetricsText(std::string_view page) {
  while (!page.empty()) {
    const std::size_t end = page.find('\n');
    const std::string_view line = page.substr(0, end);
    page.remove_prefix(end == std::string_view::npos ? page.size() : end + 1);
    const std::size_t space = line.rfind(' ');
    if (line.empty() || line.front() == '#' || space == std::string_view::npos) continue;
    samples_[std::string{line.substr(0, space)}] =
        std::strtod(std::string{line.substr(space + 1)}.c_str(), nullptr);
  }
}

double MetricsText::sum(std::string_view name, std::string_view label) const {
  double sum = 0;
  for (auto at = samples_.lower_bound(name); at != samples_.end() && at->first.starts_with(name); ++at) {
    const std::string_view labels = std::string_view{at->first}.substr(name.size());
    if (!labels.empty() && labels.front() != '{') continue;
    if (labels.find(label) != std::string_view::npos) sum += at->second;
  }
  return sum;
}

bool MetricsText::has(std::string_view name) const {
  const auto at = samples_.lower_bound(name);
  return at != samples_.end() && at->first.starts_with(name);
}

}  // namespace wsproxy::cli
