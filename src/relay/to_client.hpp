#pragma once

#include <array>
#include <memory>
#include <optional>

#include "deflate/compressor.hpp"
#include "relay/allowance.hpp"
#include "relay/frame_reader.hpp"
#include "relay/meter.hpp"
#include "relay/settings.hpp"

namespace wsproxy::relay {

/// What app bytes become on the client leg: compressed when that was agreed and pays.
///
/// Without the extension frames stream through as they arrive, one that comes in parts as fragments.
/// With it a message up to kWholeMessage
/// is held until it is whole, then compressed, or sent raw, as one frame; a larger one is decided on
/// its first kWholeMessage bytes and streams. UTF-8 is the receiver's to check (RFC 6455 section 8.1).
/// Memory: at most kWholeMessage of text, and only inside a message.
class ToClient {
 public:
  ToClient(const Settings& settings, Workshop& workshop, Meter& meter);

  enum class Event : std::uint8_t {
    need_more,
    held_up,  // `to_client` has reached `room` or the allowance is used up: call again later with the rest
    close,
    fault,
    message_end,  // only when asked to stop there
  };
  struct Result {
    Event event = Event::need_more;
    std::size_t used = 0;
  };

  /// As ToApp::feed, the other way round. With `stop_after_message` it returns when the client leg is
  /// between two messages.
  Result feed(base::MutableBytes input, base::ByteQueue& to_client, std::size_t room, Allowance& allowance,
              bool discard, bool stop_after_message);

  /// Whether the app is between two messages: a close frame of our own cuts nothing off.
  bool between_messages() const { return !in_message_; }
  bool take_saw_data() { return reader_.take_saw_data(); }
  websocket::Fault fault() const { return reader_.fault(); }
  websocket::ClosePayload close_payload() const { return reader_.close_payload(); }

 private:
  /// What becomes of the message that is being read.
  enum class Mode : std::uint8_t {
    pass,      // frames go on as they are
    hold,      // still small enough to be compressed whole
    compress,  // large: streams through an encoder
  };

  void on_header(Allowance& allowance);
  void on_payload(const FrameReader::Step& step, base::ByteQueue& out);
  void observe(const FrameReader::Step& step);
  void pass(const FrameReader::Step& step, base::ByteQueue& out);
  void hold(const FrameReader::Step& step, base::ByteQueue& out);
  void send_whole(base::Bytes text, base::ByteQueue& out);
  void begin_large(const FrameReader::Step& step, base::ByteQueue& out);
  void stream_compressed(base::Bytes text, bool message_complete, base::ByteQueue& out);
  void drop_message();

  const Settings& settings_;
  Workshop& workshop_;
  Meter& meter_;
  FrameReader reader_;
  bool in_message_ = false;
  bool message_begun_ = false;  // some of the message is on the client leg
  Mode mode_ = Mode::pass;
  std::uint64_t message_bytes_ = 0;
  std::uint64_t packed_bytes_ = 0;
  std::optional<deflate::Compressor> compressor_;  // when the extension was agreed
  std::optional<deflate::MessageEncoder> encoder_;
  std::unique_ptr<deflate::ObservedConnection> observed_;  // when it was not, and observing is asked for
  base::ByteQueue held_;
};

}  // namespace wsproxy::relay
