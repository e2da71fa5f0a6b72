#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/side_request.hpp"

namespace wsproxy::server {

struct SidePortLimits {
  std::size_t connections = 64;               // one more, and the one that is longest without an answer goes
  std::chrono::milliseconds request{10'000};  // to read one request, and again to write its answer
};

/// The HTTP port for probes, metrics and operators, with a thread of its own: a busy worker cannot
/// make a probe fail, and a scraper cannot delay a message. Requests hold at most 8 KiB of head and
/// 64 KiB of body; what is malformed or too large is answered and closed here.
class SidePort {
 public:
  /// Called on the side port's thread for GET, HEAD and POST; every connection waits while it runs. It
  /// answers by the reply, at once or later, and meanwhile the others are served. What it throws becomes a
  /// 500. To HEAD the answer's body is not sent.
  using Handler = std::function<void(const SideRequest& request, SideReply reply)>;

  /// Listens when it returns; port 0 takes a free one. Throws std::system_error whose what() is one
  /// line with the address when that is not possible.
  SidePort(const std::string& host, std::uint16_t port, Handler handler, SidePortLimits limits = {});
  /// Joins the thread: waits for a handler that runs, and half a second at most for answers that are being
  /// sent; cuts the rest.
  ~SidePort();
  SidePort(const SidePort&) = delete;
  SidePort& operator=(const SidePort&) = delete;

  /// From any thread: calls on the side port's, unless it ends before. What it throws goes nowhere.
  void post(std::function<void()> call);

  std::uint16_t port() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace wsproxy::server
