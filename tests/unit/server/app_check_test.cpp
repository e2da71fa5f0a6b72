#include "server/app_check.hpp"

#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

namespace wsproxy::server {
namespace {

using Catch::Matchers::Contains;
using Tcp = boost::asio::ip::tcp;
using Acceptor = boost::asio::basic_socket_acceptor<Tcp, net::Executor>;

/// What the check of these apps says while a loop runs on a thread of its own, as in the server.
std::string problem_with(std::vector<config::UpstreamUrl> apps) {
  net::IoContext io{1};
  AppCheck check{io, std::move(apps)};
  auto work = boost::asio::make_work_guard(io);
  std::thread thread{[&io] { io.run(); }};
  std::string problem = check.problem();
  io.stop();
  thread.join();
  return problem;
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

TEST_CASE("other apps are asked at once, and to set them waits for no answer") {
  net::IoContext sockets;
  const App up{sockets, true};
  const App down{sockets, false};
  net::IoContext io{1};
  AppCheck check{io, {down.url()}};
  auto work = boost::asio::make_work_guard(io);
  std::thread thread{[&io] { io.run(); }};
  CHECK(check.problem() != "");
  boost::asio::post(io, [&] { check.set_apps({up.url()}); });
  const auto begin = std::chrono::steady_clock::now();
  while (check.problem() != "" && std::chrono::steady_clock::now() - begin < std::chrono::milliseconds{900}) {
  }
  CHECK(check.problem() == "");
  io.stop();
  thread.join();
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
