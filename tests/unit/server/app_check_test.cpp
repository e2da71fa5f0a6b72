#include "server/app_check.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>

#include "support/manual_clock.hpp"

namespace wsproxy::server {
namespace {

using Catch::Matchers::Contains;
using Tcp = boost::asio::ip::tcp;
using Acceptor = boost::asio::basic_socket_acceptor<Tcp, net::Executor>;

/// What the check says within a second.
std::string problem_of(AppCheck& check, net::IoContext& io) {
  std::optional<std::string> answer;
  check.ask([&answer](const std::string& problem) { answer = problem; });
  for (int i = 0; i < 1000 && !answer; ++i) test::pass(io, std::chrono::milliseconds{1});
  REQUIRE(answer);
  return *answer;
}

std::string problem_with(std::vector<config::UpstreamUrl> apps) {
  net::IoContext io{1};
  AppCheck check{io, std::move(apps)};
  return problem_of(check, io);
}

/// A port of ours where nobody else can listen.
class App {
 public:
  App(net::IoContext& io, bool is_listening) : acceptor_(io, Tcp::v4()) {
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
    if (is_listening) acceptor_.listen();
  }
  config::UpstreamUrl url() const {
    config::UpstreamUrl url;
    url.host = "127.0.0.1";
    url.port = acceptor_.local_endpoint().port();
    return url;
  }

 private:
  Acceptor acceptor_;
};

TEST_CASE("an app that listens is no problem, and one that does not is named with the reason") {
  net::IoContext sockets;
  const App up{sockets, true};
  const App down{sockets, false};
  CHECK(problem_with({up.url()}) == "");
  CHECK(problem_with({down.url()}) ==
        "the application cannot be reached: " + down.url().text() + ": Connection refused");
}

TEST_CASE("one app that can be reached is enough, wherever it stands") {
  net::IoContext sockets;
  const App up{sockets, true};
  const App down{sockets, false};
  const App also_down{sockets, false};
  CHECK(problem_with({down.url(), up.url(), also_down.url()}) == "");
  CHECK(problem_with({up.url(), down.url()}) == "");
  const std::string problem = problem_with({down.url(), also_down.url()});
  CHECK_THAT(problem, Catch::StartsWith("no application can be reached: "));
  CHECK_THAT(problem, Contains(down.url().text() + ": Connection refused"));
  CHECK_THAT(problem, Contains(also_down.url().text() + ": Connection refused"));
}

TEST_CASE("who asks within a second has the same answer, and other apps are asked at once") {
  net::IoContext io{1};
  auto app = std::make_unique<App>(io, true);
  const App other{io, true};
  AppCheck check{io, {app->url()}};
  const config::UpstreamUrl url = app->url();
  CHECK(problem_of(check, io) == "");
  app.reset();
  CHECK(problem_of(check, io) == "");
  test::pass(io, std::chrono::seconds{1});
  CHECK_THAT(problem_of(check, io), Contains(url.text() + ": Connection refused"));
  check.set_apps({other.url()});
  CHECK(problem_of(check, io) == "");
}

TEST_CASE("who waits when the apps change is told of the new ones") {
  net::IoContext io{1};
  const App down{io, false};
  const App up{io, true};
  AppCheck check{io, {down.url()}};
  std::vector<std::string> answers;
  for (int i = 0; i < 2; ++i) check.ask([&](const std::string& problem) { answers.push_back(problem); });
  check.set_apps({up.url()});
  CHECK(problem_of(check, io) == "");
  CHECK(answers == std::vector<std::string>{"", ""});
}

TEST_CASE("the apps of a config are each asked once, and the default only when it is meant") {
  config::Config config;
  CHECK(apps_of(config) == std::vector{config.upstream.url});

  config.routes.resize(3);
  config.routes[0].upstream.url.host = "a";
  config.routes[1].upstream.url.host = "b";
  config.routes[2].upstream.url.host = "a";
  config.routes[2].upstream.max_connections = 1;
  CHECK(apps_of(config) == std::vector{config.routes[0].upstream.url, config.routes[1].upstream.url});

  config.upstream.max_connections = 1;
  CHECK(apps_of(config) ==
        std::vector{config.upstream.url, config.routes[0].upstream.url, config.routes[1].upstream.url});

  config.upstream = {};
  config.routes[1].upstream = {};  // what a route leaves out
  CHECK(apps_of(config) == std::vector{config.routes[0].upstream.url, config.routes[1].upstream.url});
}

}  // namespace
}  // namespace wsproxy::server
