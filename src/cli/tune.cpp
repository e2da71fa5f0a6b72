#include "cli/tune.hpp"

#include <chrono>
#include <iostream>
#include <optional>
#include <thread>

#include "cli/http_get.hpp"
#include "cli/tune_text.hpp"
#include "config/yaml_reader.hpp"

namespace wsproxy::cli {
namespace {

constexpr std::chrono::seconds kDeadline{5};
constexpr std::size_t kMostBody = std::size_t{4} << 20;

class Side {
 public:
  explicit Side(Url url) : url_(std::move(url)) {}

  std::optional<std::string> get(const std::string& path) {
    url_.target = path;
    HttpAnswer answer = http_get(url_, kDeadline, kMostBody);
    if (answer.status == 200) return std::move(answer.body);
    problem_ = path + ": " + (answer.status != 0 ? std::to_string(answer.status) + " " : "") + answer.reason;
    return std::nullopt;
  }
  const std::string& problem() const { return problem_; }

 private:
  Url url_;
  std::string problem_;
};

int fail(const std::string& url, const std::string& problem) {
  std::cerr << "wsproxy tune: " << url << ": " << problem << std::endl;
  return 1;
}

double since_start(const MetricsText& metrics) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  const double started = metrics.sum("process_start_time_seconds");
  return started > 0 && now.count() > started ? now.count() - started : 1;
}

}  // namespace

int tune(const std::string& url, std::uint32_t seconds, bool as_json) {
  const auto parsed = parse_url(url);
  if (!parsed || parsed->scheme != "http") return fail(url, "not an http:// URL");
  Side side{*parsed};
  const auto yaml = side.get("/config");
  if (!yaml) return fail(url, side.problem());
  const auto config = config::read_dump(*yaml, "/config");
  if (!config.errors.empty())
    return fail(url, "not a configuration that this version reads: " + config.errors.front().text());

  std::string first;
  const auto begun = std::chrono::steady_clock::now();
  if (seconds > 0) {
    const auto page = side.get("/metrics");
    if (!page) return fail(url, side.problem());
    first = *page;
    std::this_thread::sleep_for(std::chrono::seconds{seconds});
  }
  const auto second = side.get("/metrics");
  if (!second) return fail(url, side.problem());
  const MetricsText after{*second};
  if (!after.has("wsproxy_messages_total")) return fail(url, "no metrics of a wsproxy");
  Figures figures = figures_of(MetricsText{first}, after, config.config);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  figures.seconds = seconds > 0 ? took.count() : since_start(after);
  const Recommendation advice = recommend(figures);
  std::cout << (as_json ? tune_json(figures, advice) : tune_yaml(figures, advice)) << std::flush;
  return std::cout.good() ? 0 : 1;
}

}  // namespace wsproxy::cli
