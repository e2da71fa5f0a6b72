#include "server/app_check.hpp"

#include <future>

#include <boost/asio/post.hpp>

namespace wsproxy::server {

namespace {
constexpr auto kFresh = std::chrono::seconds{1};
constexpr auto kPatience = std::chrono::milliseconds{800};
}  // namespace

struct AppCheck::Attempt {
  Attempt(net::IoContext& io, const config::UpstreamUrl& url)
      : connector(io, {url.host, url.port, url.unix_path}, kPatience) {}
  net::Connector connector;
  std::promise<std::string> answer;
};

AppCheck::AppCheck(net::IoContext& io, config::UpstreamUrl url) : io_(io), url_(std::move(url)) {
}

AppCheck::~AppCheck() {
  if (attempt_) attempt_->connector.cancel();
}

std::string AppCheck::problem() {
  const std::lock_guard lock{mutex_};
  if (checked_ && net::Clock::now() - *checked_ < kFresh) return problem_;
  problem_ = connect_once();
  checked_ = net::Clock::now();
  return problem_;
}

std::string AppCheck::connect_once() {
  const auto attempt = std::make_shared<Attempt>(io_, url_);
  attempt_ = attempt;
  std::future<std::string> answer = attempt->answer.get_future();
  boost::asio::post(io_, [attempt] {
    attempt->connector.start([attempt](const net::ConnectResult& result) {
      attempt->answer.set_value(result.status == net::ConnectStatus::connected ? std::string{}
                                : result.error                                 ? result.error.message()
                                                                               : "no answer");
    });
  });
  const std::string prefix = "the application at " + url_.text() + " cannot be reached: ";
  if (answer.wait_for(kPatience * 2) != std::future_status::ready) return prefix + "no answer";
  const std::string problem = answer.get();
  return problem.empty() ? problem : prefix + problem;
}

}  // namespace wsproxy::server
