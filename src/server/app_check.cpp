#include "server/app_check.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace wsproxy::server {

namespace {
constexpr auto kFresh = std::chrono::seconds{1};
constexpr auto kPatience = std::chrono::milliseconds{800};

std::string in_words(const std::vector<std::string>& reasons) {
  if (reasons.size() == 1) return "the application cannot be reached: " + reasons.front();
  return fmt::format("no application can be reached: {}", fmt::join(reasons, "; "));
}

}  // namespace

/// One connection to each app at the same time.
class AppCheck::Round : public std::enable_shared_from_this<Round> {
 public:
  Round(net::IoContext& io, net::Poller& poller, const std::vector<config::UpstreamUrl>& apps) : apps_(apps) {
    for (const config::UpstreamUrl& app : apps) {
      connectors_.push_back(std::make_unique<net::Connector>(io, poller, net::target_of(app), kPatience));
    }
  }

  /// Calls once, unless cancel() comes first.
  void start(OnAnswer call) {
    call_ = std::move(call);
    for (std::size_t i = 0; i < connectors_.size(); ++i) {
      connectors_[i]->start([self = shared_from_this(), i](const net::ConnectResult& result) {
        self->on_result(self->apps_[i], result);
      });
    }
  }

  void cancel() {
    for (const auto& connector : connectors_) connector->cancel();
  }

 private:
  void on_result(const config::UpstreamUrl& app, const net::ConnectResult& result) {
    if (result.status == net::ConnectStatus::connected) {
      cancel();
      return call_({});
    }
    std::string problem;
    try {
      reasons_.push_back(app.text() + ": " + result.reason);
      if (reasons_.size() < connectors_.size()) return;
      problem = in_words(reasons_);
    } catch (const std::bad_alloc&) {  // who asks has no deadline
      cancel();
      problem = "out of memory";
    }
    call_(problem);
  }

  std::vector<config::UpstreamUrl> apps_;
  std::vector<std::unique_ptr<net::Connector>> connectors_;
  OnAnswer call_;
  std::vector<std::string> reasons_;
};

std::vector<config::UpstreamUrl> apps_of(const config::Config& config) {
  std::vector<config::UpstreamUrl> apps;
  const auto add = [&apps](const config::UpstreamUrl& app) {
    if (std::ranges::find(apps, app) == apps.end()) apps.push_back(app);
  };
  if (config.routes.empty() || config.upstream != config::Upstream{}) add(config.upstream.url);
  for (const config::Route& route : config.routes) add(route.upstream.url);
  return apps;
}

AppCheck::AppCheck(net::IoContext& io, std::vector<config::UpstreamUrl> apps)
    : io_(io), poller_(io), apps_(std::move(apps)) {
}

AppCheck::~AppCheck() {
  if (round_) round_->cancel();
}

void AppCheck::set_apps(std::vector<config::UpstreamUrl> apps) {
  if (apps == apps_) return;
  apps_ = std::move(apps);
  checked_.reset();
  if (!round_) return;
  round_->cancel();
  start_round();
}

void AppCheck::ask(OnAnswer call) {
  if (checked_ && net::Clock::now() - *checked_ < kFresh) return call(problem_);
  waiting_.push_back(std::move(call));
  if (!round_) start_round();
}

void AppCheck::start_round() {
  try {
    round_ = std::make_shared<Round>(io_, poller_, apps_);
    round_->start([this](const std::string& problem) { end_round(problem); });
  } catch (const std::exception& error) {  // out of memory or descriptors: who asks is told all the same
    if (round_) round_->cancel();
    end_round(in_words({error.what()}));
  }
}

void AppCheck::end_round(const std::string& problem) {
  round_.reset();  // its callbacks keep it until they have returned
  problem_ = problem;
  checked_ = net::Clock::now();
  for (const OnAnswer& call : std::exchange(waiting_, {})) {
    try {
      call(problem_);
    } catch (const std::exception&) {
      // Out of memory in one answer; the others are given.
    }
  }
}

}  // namespace wsproxy::server
