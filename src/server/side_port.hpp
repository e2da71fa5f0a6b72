#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace wsproxy::server {

struct SideAnswer {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct SidePortLimits {
  std::size_t connections = 64;               // more are closed at once
  std::chrono::milliseconds request{10'000};  // to read one request, and again to write its answer
};

/// The HTTP port for probes, metrics and operators, with a thread of its own: a busy worker cannot
/// make a probe fail, and a scraper cannot delay a message. Requests hold at most 8 KiB of head and
/// 64 KiB of body; what is malformed or too large is answered and closed here.
class SidePort {
 public:
  /// Called on the side port's thread for GET, HEAD (as "GET": the body is then not sent) and POST;
  /// every connection waits while it runs. The views are valid during the call. What it throws
  /// becomes a 500. `path` is not decoded; `query` is without its '?'.
  using Handler =
      std::function<SideAnswer(std::string_view method, std::string_view path, std::string_view query)>;

  /// Listens when it returns; port 0 takes a free one. Throws std::system_error whose what() is one
  /// line with the address when that is not possible.
  SidePort(const std::string& host, std::uint16_t port, Handler handler, SidePortLimits limits = {});
  /// Cuts what is open and joins the thread; waits for a handler that runs.
  ~SidePort();
  SidePort(const SidePort&) = delete;
  SidePort& operator=(const SidePort&) = delete;

  std::uint16_t port() const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace wsproxy::server
