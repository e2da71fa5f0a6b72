#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "frame.hpp"
#include "net.hpp"

namespace bench {

class AppConnection;

/// What all connections of the app share.
struct AppState {
  std::map<std::uint32_t, std::map<std::uint32_t, AppConnection*>> feeds;  // feed, member
  std::uint64_t handshakes = 0;
  std::uint64_t extension_offers = 0;  // a proxy that compresses must not pass them on
  std::uint64_t frames = 0;
  std::uint64_t faults = 0;  // frames that no app without extensions may get
};

/// One connection to the app: plain requests, then, after an upgrade, a WebSocket without extensions.
///   /echo       sends every frame back
///   /feed/F/M   is member M of feed F and echoes too
///   /publish/F  text goes to all members of F; binary is four octets M and the text for member M
/// Requests without an upgrade get 1 KiB, those for /counts the counts as JSON.
class AppConnection {
 public:
  AppConnection(Descriptor socket, AppState& state) : socket_(std::move(socket)), state_(state) {}
  ~AppConnection();
  AppConnection(const AppConnection&) = delete;
  AppConnection& operator=(const AppConnection&) = delete;

  int socket() const { return socket_.get(); }
  /// False when the connection is over.
  bool on_readable();
  bool on_writable() { return outbox_.flush(socket_.get()); }
  void deliver(std::string_view frame);

 private:
  enum class Role : std::uint8_t { http, echo, member, publisher };

  bool on_bytes(std::span<char> bytes);
  void answer_requests();
  void answer(std::string_view head);
  void accept(std::string_view head, std::string_view key);
  void take_role(std::string_view path);
  void on_frame(const FrameHead& head, std::string_view payload);
  void echo(const FrameHead& head, std::string_view payload);
  void publish(const FrameHead& head, std::string_view payload) const;

  Descriptor socket_;
  AppState& state_;
  Role role_ = Role::http;
  std::uint32_t feed_ = 0;
  std::uint32_t member_ = 0;
  bool is_closing_ = false;
  std::string requests_;
  FrameReader reader_;
  std::string out_;  // what one read event produces goes out in one write
  Outbox outbox_;
};

}  // namespace bench
