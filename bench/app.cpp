/// The app behind the proxies: an echo and feeds over plain WebSocket, as cheap as it can be, so that
/// what is measured is the proxy. Prints its port and runs until it is stopped.
#include <array>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <unordered_map>

#include <CLI/CLI.hpp>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "app_connection.hpp"

namespace bench {
namespace {

class App {
 public:
  explicit App(std::uint16_t port) : listener_(listen_on(port)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    watch(listener_.get(), EPOLLIN);
  }

  std::uint16_t port() const { return port_of(listener_.get()); }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> ready{};
    for (;;) {
      const int count = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), -1);
      for (int i = 0; i < count; ++i) handle(ready[static_cast<std::size_t>(i)]);
    }
  }

 private:
  void watch(int socket, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = socket;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event);
  }

  void handle(const epoll_event& event) {
    if (event.data.fd == listener_.get()) return accept_all();
    const auto at = connections_.find(event.data.fd);
    if (at == connections_.end()) return;
    bool is_alive = true;
    if (event.events & EPOLLOUT) is_alive = at->second->on_writable();
    if (is_alive && (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)))
      is_alive = at->second->on_readable();
    if (!is_alive) connections_.erase(at);
  }

  void accept_all() {
    for (;;) {
      Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (socket.get() < 0) return;
      disable_nagle(socket.get());
      const int number = socket.get();
      connections_[number] = std::make_unique<AppConnection>(std::move(socket), state_);
      watch(number, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
  }

  Descriptor listener_;
  Descriptor epoll_;
  AppState state_;
  std::unordered_map<int, std::unique_ptr<AppConnection>> connections_;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  CLI::App command{"Echo and feeds without compression, to run behind a proxy", "bench_app"};
  command.add_option("--port", port, "Port on 127.0.0.1; 0: a free one")->capture_default_str();
  CLI11_PARSE(command, argc, argv);
  try {
    bench::App app(port);
    std::printf("%u\n", static_cast<unsigned>(app.port()));
    std::fflush(stdout);
    app.run();
  } catch (const std::exception& error) {
    std::cerr << "bench_app: " << error.what() << '\n';
    return 1;
  }
}
