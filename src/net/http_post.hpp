#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "http/response_head.hpp"
#include "net/connector.hpp"

namespace wsproxy::net {

struct HttpPostResult {
  std::string problem;      // why there is no answer; empty: there is one
  http::ResponseHead head;  // of the answer
};

/// One HTTP request on a connection of its own, up to the head of its answer: what the body says is for
/// nobody here. One loop's thread; poller, loop and buffers outlive it.
class HttpPost {
 public:
  using Callback = std::function<void(HttpPostResult)>;

  /// For connecting, tries included and TLS with it; then, anew, for the answer.
  static constexpr std::chrono::seconds kConnectTime{5};
  static constexpr std::chrono::seconds kAnswerTime{10};

  HttpPost(IoContext& io, Poller& poller, Target target);
  HttpPost(const HttpPost&) = delete;
  HttpPost& operator=(const HttpPost&) = delete;

  /// Before start(): the target speaks TLS.
  void secure(std::shared_ptr<const TlsClient> tls, TlsBuffers& buffers);
  /// `request` is its head and its body. Calls back once, never from within this; may be destroyed by its
  /// callback.
  void start(std::string request, Callback callback);

 private:
  static constexpr std::size_t kMaxHead = 16 * 1024;

  void on_connected(ConnectResult result);
  void wait_for_answer();
  void on_ready(Transport::Ready ready);
  void write();
  void read();
  /// True when the head is there, or can never be.
  bool on_bytes(base::Bytes bytes);
  void fail(std::string problem);
  void finish(HttpPostResult result);

  Connector connector_;
  Timer deadline_;
  std::unique_ptr<Transport> transport_;
  std::string request_;
  std::size_t written_ = 0;
  std::array<std::byte, 4096> input_{};
  http::ResponseHeadReader answer_{kMaxHead};
  Callback callback_;
  /// For the timer, whose last call may already be on its way when it is cancelled.
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace wsproxy::net
