#include "cli/probe.hpp"

#include <chrono>
#include <iostream>
#include <string_view>

#include "cli/http_get.hpp"

namespace wsproxy::cli {
namespace {

constexpr std::chrono::seconds kDeadline{2};
constexpr std::size_t kMostBody = std::size_t{4} << 20;

/// Empty for a 200.
std::string problem_with(const HttpAnswer& answer) {
  if (answer.status == 200) return {};
  if (answer.status == 0) return answer.reason;
  std::string problem = std::to_string(answer.status) + " " + answer.reason;
  const std::string_view line = std::string_view{answer.body}.substr(0, answer.body.find_first_of("\r\n"));
  if (!line.empty()) problem.append(": ").append(line);
  return problem;
}

int fail(const std::string& url, const std::string& problem) {
  std::cerr << "wsproxy probe: " << url << ": " << problem << std::endl;
  return 1;
}

}  // namespace

int probe(const std::string& url) {
  auto parsed = parse_url(url);
  if (!parsed || parsed->scheme != "http") return fail(url, "not an http:// URL");
  if (parsed->target.empty()) parsed->target = "/readyz";
  const std::string problem = problem_with(http_get(*parsed, kDeadline, kMostBody));
  return problem.empty() ? 0 : fail(url, problem);
}

}  // namespace wsproxy::cli
