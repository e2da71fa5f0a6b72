#pragma once

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/bytes.hpp"
#include "net/tls_ticket_keys.hpp"
#include "proxy/session.hpp"
#include "support/manual_clock.hpp"

/// A real session between real sockets whose other ends a test holds, on a loop and a clock of the test's:
/// nothing waits, nothing sleeps.
namespace wsproxy::test {

/// An end of a connection whose other end is the proxy's.
class Peer {
 public:
  Peer() = default;
  explicit Peer(int descriptor) : socket_(descriptor) {}

  void say(std::string_view bytes) {
    if (::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
        static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("the proxy does not take what a peer says");
    }
  }
  void say(const std::vector<std::byte>& bytes) { say(base::as_text(bytes)); }
  /// As much of it as finds room.
  std::size_t try_say(std::string_view bytes) {
    return static_cast<std::size_t>(std::max<ssize_t>(
        0, ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT)));
  }
  /// What has come since the last time.
  std::string hear() {
    std::string heard;
    char buffer[65536];
    for (ssize_t size; (size = ::recv(socket_.number(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0;) {
      heard.append(buffer, static_cast<std::size_t>(size));
    }
    return heard;
  }
  /// Whether the proxy has hung up, and all that it said was heard.
  bool is_over() const {
    char next;
    const ssize_t size = ::recv(socket_.number(), &next, 1, MSG_DONTWAIT | MSG_PEEK);
    return size == 0 || (size < 0 && errno != EAGAIN);
  }
  void hang_up() { socket_.close(); }

 private:
  net::Descriptor socket_;
};

class SessionRig {
 public:
  /// The upstream's URL is replaced by the rig's own app, which speaks TLS if that did.
  explicit SessionRig(config::Config config = {})
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        log_({.level = telemetry::Level::error, .sink = [](std::string_view) {}, .clock = {}}),
        quota_(config.limits),
        context_(io_, settings(with_upstream(std::move(config))), log_, quota_, std::size_t{64} << 20) {
    session_ = meet(client, [this] { is_gone_ = true; });
  }
  ~SessionRig() {
    session_->cut("the test is over");
    session_.reset();
    context_.poller.stop();
    settle();
  }
  SessionRig(const SessionRig&) = delete;
  SessionRig& operator=(const SessionRig&) = delete;

  /// A session for one more client, whom it sets; whoever asks for it cuts it.
  proxy::SessionPtr meet(Peer& newcomer, std::function<void()> on_gone = {}) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
      throw std::runtime_error("socketpair");
    }
    newcomer = Peer{ends[0]};
    proxy::SessionPtr session =
        new proxy::Session(context_, {net::Descriptor{ends[1]}, 0, {}, false}, std::move(on_gone));
    proxy::Session::start(session);
    settle();
    return session;
  }

  /// Lets everybody do what there is to do at this moment.
  void settle() { test::pass(io_, net::Clock::duration::zero()); }
  /// The next of what there is to do at this moment, and no more; false when there is nothing.
  bool step() {
    io_.restart();  // it may have had nothing left to do
    return io_.poll_one() > 0;
  }
  /// What was said before is said now, and not when the time is over.
  void pass(net::Clock::duration time) {
    settle();
    test::pass(io_, time);
  }

  /// From here on the app's host takes connections, `backlog` more than one at a time.
  void start_app(int backlog = 16) {
    if (::listen(listener_.number(), backlog) != 0) throw std::runtime_error("listen");
  }
  /// Takes up a place of that backlog, or waits for one.
  Peer occupy_app() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ::connect(socket, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
    return Peer{socket};
  }
  /// The connection that the proxy has made to the app; none when it has not.
  std::unique_ptr<Peer> app_is_called() {
    const int descriptor = ::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) return nullptr;
    const int on = 1;  // else the kernel keeps what an app says in two parts
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return std::make_unique<Peer>(descriptor);
  }

  /// The configuration changes: `change` makes the next one of that in force.
  template <class Change>
  void reload(Change change) {
    config::Config next = context_.config();
    change(next);
    quota_.set_limits(next.limits);
    context_.use(settings(std::make_shared<const config::Config>(std::move(next))));
  }

  proxy::Session& session() { return *session_; }
  proxy::Context& context() { return context_; }
  telemetry::Counters& counters() { return context_.counters; }
  bool is_gone() const { return is_gone_; }

  Peer client;

 private:
  std::shared_ptr<const config::Config> with_upstream(config::Config config) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    if (::bind(listener_.number(), reinterpret_cast<const sockaddr*>(&address_), size) != 0 ||
        ::getsockname(listener_.number(), reinterpret_cast<sockaddr*>(&address_), &size) != 0) {
      throw std::runtime_error("bind");
    }
    const bool has_tls = config.upstream.url.tls;
    config.upstream.url = {};
    config.upstream.url.tls = has_tls;
    config.upstream.url.host = "127.0.0.1";
    config.upstream.url.port = ntohs(address_.sin_port);
    return std::make_shared<const config::Config>(std::move(config));
  }

  std::shared_ptr<const proxy::Settings> settings(const std::shared_ptr<const config::Config>& config) {
    net::TlsProblems problems;
    net::TlsSetup tls = net::load_tls(*config, tickets_, problems);
    for (const net::TlsProblem& one : problems) {
      if (one.kind == net::TlsProblem::Kind::broken) throw std::runtime_error(one.key + " " + one.text);
    }
    return std::make_shared<const proxy::Settings>(config, std::move(tls), quota_);
  }

  net::Descriptor listener_;
  sockaddr_in address_{};
  net::IoContext io_;
  telemetry::Log log_;
  proxy::Quota quota_;
  net::TlsTicketKeys tickets_;
  proxy::Context context_;
  proxy::SessionPtr session_;
  bool is_gone_ = false;
};

}  // namespace wsproxy::test
