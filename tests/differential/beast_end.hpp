#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wsproxy::test {

/// One end of a WebSocket that is Beast's own: its frames, its masks, its deflate and its inflate. Its wire
/// is in memory, and every call returns when nothing more can happen without more bytes.
class BeastEnd {
 public:
  struct Offer {
    bool is_deflate_offered = true;
    int server_window_bits = 15;  // 9..15
    int client_window_bits = 15;  // 9..15
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    int level = 8;
    int memory_level = 4;
    std::size_t write_buffer_bytes = 4096;  // a message goes out in frames of so many bytes
  };
  struct Heard {
    unsigned opcode;
    std::string payload;
  };

  /// A client, which has sent its request.
  explicit BeastEnd(const Offer& offer);
  /// An app without compression, which has been asked and has answered.
  explicit BeastEnd(std::size_t write_buffer_bytes);
  ~BeastEnd();
  BeastEnd(const BeastEnd&) = delete;
  BeastEnd& operator=(const BeastEnd&) = delete;

  /// Of the client's request.
  std::string request_field(std::string_view name) const;
  /// The 101 for the client.
  void answer(const std::string& response);

  /// A piece of a message; `is_last` ends it.
  void say(bool is_text, std::string_view piece, bool is_last);
  void ping(std::string_view payload);
  void close(std::uint16_t code, std::string_view reason);

  /// What it has written since the last call.
  std::string take_wire();
  void hear(std::string_view bytes);
  /// Messages, pings and pongs since the last call.
  std::vector<Heard> take_heard();
  /// The code of the other side's close frame; nothing while it is open.
  std::optional<std::uint16_t> closed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wsproxy::test
