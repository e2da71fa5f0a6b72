#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "server/side_port.hpp"

/// A side port with a handler of the tests', and its clients.
namespace wsproxy::server {

/// A blocking socket that gives up after five seconds.
class SideClient {
 public:
  explicit SideClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to the side port");
    }
  }
  SideClient(SideClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~SideClient() {
    if (fd_ >= 0) close(fd_);
  }
  SideClient(const SideClient&) = delete;
  SideClient& operator=(const SideClient&) = delete;

  SideClient& send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;  // the answer tells the test why
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return *this;
  }

  /// Everything up to the side port's closing; ends in "<cut>" when it was no orderly one, in
  /// "<timeout>" when there was none.
  std::string receive_all() {
    while (receive_some() > 0) {
    }
    return std::exchange(received_, {}) + (last_ == 0 ? "" : timed_out_ ? "<timeout>" : "<cut>");
  }

  /// Up to and with `mark`; less when the connection ends before.
  std::string receive_until(std::string_view mark) {
    auto at = received_.find(mark);
    while (at == std::string::npos && receive_some() > 0) at = received_.find(mark);
    const auto size = at == std::string::npos ? received_.size() : at + mark.size();
    auto part = received_.substr(0, size);
    received_.erase(0, size);
    return part;
  }

  void finish_sending() { shutdown(fd_, SHUT_WR); }
  bool is_closed() { return receive_some() <= 0 && !timed_out_; }

 private:
  ssize_t receive_some() {
    std::array<char, 4096> buffer;
    last_ = recv(fd_, buffer.data(), buffer.size(), 0);
    timed_out_ = last_ < 0 && errno == EAGAIN;
    if (last_ > 0) received_.append(buffer.data(), static_cast<std::size_t>(last_));
    return last_;
  }

  int fd_;
  ssize_t last_ = 0;
  bool timed_out_ = false;
  std::string received_;
};

inline const char* name_of(SideMethod method) {
  return method == SideMethod::get ? "GET" : method == SideMethod::head ? "HEAD" : "POST";
}

/// What the rig answers at once.
inline SideAnswer probe(const SideRequest& request) {
  const std::string_view path = request.path;
  if (path == "/livez") return {200, "text/plain", "alive\n"};
  if (path == "/readyz") return {503, "text/plain", "draining\n"};
  if (path == "/echo") {
    return {200, "text/plain",
            name_of(request.method) + std::string(" [") + std::string(request.query) + "]\n"};
  }
  if (path == "/told") {
    return {200, "text/plain",
            std::string(request.accept) + "|" + std::string(request.body) + "|" +
                (request.is_local ? "local" : "remote") + "|" + (request.is_from_page ? "page" : "tool") +
                "\n"};
  }
  if (path == "/waiting") return {200, "text/plain", std::to_string(request.waiting) + "\n"};
  if (path == "/fields") return {200, "text/plain", "", {{"X-One", "1"}, {"Vary", "Accept"}}};
  if (path == "/empty") return {204, "text/plain", ""};
  if (path == "/throw") throw std::runtime_error("secret");
  if (path == "/throw-int") throw 7;
  if (path == "/big") return {200, "text/plain", std::string(8 << 20, 'x')};
  return {404, "text/plain", "no such page\n"};
}

/// Replies that are not given yet, of /wait.
class WaitingReplies {
 public:
  void add(SideReply reply) {
    const std::lock_guard lock{mutex_};
    replies_.push_back(std::move(reply));
    has_come_.notify_all();
  }
  /// The next one, once it has come.
  SideReply take() {
    std::unique_lock lock{mutex_};
    has_come_.wait_for(lock, std::chrono::seconds{5}, [this] { return !replies_.empty(); });
    if (replies_.empty()) throw std::runtime_error("no request has come");
    SideReply reply = std::move(replies_.front());
    replies_.erase(replies_.begin());
    return reply;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_come_;
  std::vector<SideReply> replies_;
};

/// A side port that answers all but /wait at once.
class SidePortRig {
 public:
  explicit SidePortRig(SidePortLimits limits = {})
      : port_(std::make_unique<SidePort>(
            "127.0.0.1", 0,
            [this](const SideRequest& request, SideReply reply) {
              request.path == "/wait" ? waiting.add(std::move(reply)) : reply(probe(request));
            },
            limits)) {}
  SideClient client() const { return SideClient(port_->port()); }
  /// The whole conversation of one request that the side port is to close after.
  std::string ask(std::string_view request) const { return client().send(request).receive_all(); }
  bool still_answers() const {
    return ask("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200 ");
  }

  void end() { port_.reset(); }

  WaitingReplies waiting;

 private:
  std::unique_ptr<SidePort> port_;
};

inline std::string get(const std::string& target, const std::string& more = "Connection: close\r\n") {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

/// Whether it comes true within four seconds.
template <typename Condition>
bool soon(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{4};
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
  }
  return condition();
}

}  // namespace wsproxy::server
