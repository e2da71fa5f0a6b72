#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/byte_queue.hpp"
#include "doctor/exact_inflater.hpp"
#include "websocket/frame_parser.hpp"
#include "websocket/message_rules.hpp"

namespace wsproxy::doctor {

/// What a server may do on a connection as it was agreed (RFC 7692 section 7.1).
struct Agreed {
  bool compression = false;
  std::uint8_t server_window_bits = 15;
  std::uint8_t client_window_bits = 15;
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
};

/// A whole message, or a control frame.
struct ServerEvent {
  websocket::Opcode opcode = websocket::Opcode::text;
  std::string payload;           // inflated; of a close frame the reason
  bool compressed = false;       // it came with RSV1
  std::uint16_t close_code = 0;  // of a close frame, 1005 when it had none
};

/// Reads what a server sends and holds every byte of it against RFC 6455 and RFC 7692. Bounded: a message
/// over kMostPayload ends it.
class ServerReader {
 public:
  static constexpr std::size_t kMostPayload = std::size_t{96} << 20;
  static constexpr std::size_t kMostBehindClose = std::size_t{1} << 16;

  explicit ServerReader(const Agreed& agreed);

  /// False when the server broke a rule or sent more than is kept, as problem() says; from then on always.
  bool feed(base::Bytes bytes);
  /// The oldest event that has not been taken.
  std::optional<ServerEvent> take();
  /// Whether it is our own bound that ended the reading, and no rule that the server broke.
  bool is_over_bound() const { return is_over_bound_; }
  /// Empty as long as all is well, e.g. "RFC 6455 5.1: a server must not mask".
  const std::string& problem() const { return problem_; }
  /// Whether a close frame has come; what is behind it is not read.
  bool is_closed() const { return is_closed_; }
  /// The first bytes that came behind the close frame.
  base::Bytes behind_close() const { return is_closed_ ? input_.view() : base::Bytes{}; }

 private:
  bool on_header();
  bool on_frame();
  bool on_message();
  bool on_close();
  bool fail(std::string problem);
  bool give_up();

  websocket::FrameParser parser_{websocket::Sender::server};
  websocket::MessageRules rules_;
  std::optional<ExactInflater> inflater_;
  base::ByteQueue input_;
  std::string message_;  // its payload so far, as it came
  std::string control_;
  std::deque<ServerEvent> events_;
  std::string problem_;
  bool is_closed_ = false;
  bool is_over_bound_ = false;
};

}  // namespace wsproxy::doctor
