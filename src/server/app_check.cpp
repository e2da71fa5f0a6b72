#include "server/app_check.hpp"

#include <algorithm>
#include <future>

#include <boost/asio/post.hpp>
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

/// One connection to each app at the same time. On io's thread, but for the future.
class AppCheck::Round : public std::enable_shared_from_this<Round> {
 public:
  Round(net::IoContext& io, net::Poller& poller, const std::vector<config::UpstreamUrl>& apps) : apps_(apps) {
    for (const config::UpstreamUrl& app : apps) {
      connectors_.push_back(std::make_unique<net::Connector>(io, poller, net::target_of(app), kPatience));
    }
  }

  /// Empty as soon as one is reached, else why none is.
  std::future<std::string> answer() { return answer_.get_future(); }

  void start() {
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
      if (!std::exchange(is_reached_, true)) answer_.set_value({});
      return;
    }
    reasons_.push_back(app.text() + ": " + result.reason);
    if (reasons_.size() == connectors_.size()) answer_.set_value(in_words(reasons_));
  }

  std::vector<config::UpstreamUrl> apps_;
  std::vector<std::unique_ptr<net::Connector>> connectors_;
  std::promise<std::string> answer_;
  std::vector<std::string> reasons_;
  bool is_reached_ = false;
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
  const std::lock_guard lock{apps_mutex_};
  apps_ = std::move(apps);
}

std::vector<config::UpstreamUrl> AppCheck::apps() const {
  const std::lock_guard lock{apps_mutex_};
  return apps_;
}

std::string AppCheck::problem() {
  const std::lock_guard lock{mutex_};
  std::vector<config::UpstreamUrl> apps = this->apps();
  if (checked_ && net::Clock::now() - *checked_ < kFresh && apps == checked_apps_) return problem_;
  problem_ = ask_all(apps);
  checked_apps_ = std::move(apps);
  checked_ = net::Clock::now();
  return problem_;
}

std::string AppCheck::ask_all(const std::vector<config::UpstreamUrl>& apps) {
  round_ = std::make_shared<Round>(io_, poller_, apps);
  std::future<std::string> answer = round_->answer();
  boost::asio::post(io_, [round = round_] { round->start(); });
  if (answer.wait_for(kPatience * 2) == std::future_status::ready) return answer.get();
  std::vector<std::string> silent;
  silent.reserve(apps.size());
  for (const config::UpstreamUrl& app : apps) silent.push_back(app.text() + ": no answer");
  return in_words(silent);
}

}  // namespace wsproxy::server
