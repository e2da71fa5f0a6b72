#pragma once

#include <array>
#include <optional>

#include "deflate/history.hpp"
#include "relay/allowance.hpp"
#include "relay/frame_reader.hpp"
#include "relay/meter.hpp"
#include "relay/settings.hpp"
#include "websocket/utf8.hpp"

namespace wsproxy::relay {

/// What client bytes become on the app leg: unmasked, inflated, checked, masked afresh.
///
/// Frames without RSV1 stream through as they arrive, fragment by fragment. A compressed message is
/// inflated as it arrives; up to kWholeMessage of text is held so that it leaves as one frame.
/// Memory: at most kWholeMessage of text and one read of stalled input, and only inside a message.
class ToApp {
 public:
  ToApp(const Settings& settings, Workshop& workshop, Meter& meter);

  enum class Event : std::uint8_t {
    need_more,  // all input is used
    held_up,    // `to_app` has reached `room` or the allowance is used up: call again later with the rest
    close,      // a valid close frame came: close_payload(); nothing after it is looked at
    fault,      // fault() says which rule was broken
  };
  struct Result {
    Event event = Event::need_more;
    std::size_t used = 0;
  };

  /// Appends frames to `to_app` until the input is used or `to_app` holds `room` bytes (exceeded by at
  /// most kRoomOvershoot), or takes as much as is allowed. Unmasks `input` in place. With `discard`, now and
  /// ever after, only frames are read, up to the close frame: the app has had its own.
  Result feed(base::MutableBytes input, base::ByteQueue& to_app, std::size_t room, Allowance& allowance,
              bool discard);

  /// Whether the app leg is between two frames, so that a control frame of our own may go there.
  bool between_frames() const { return !streaming_; }
  bool take_saw_data() { return reader_.take_saw_data(); }
  /// Whether input that was already taken waits.
  bool is_stalled() const { return inflating_ == Inflating::stalled; }
  websocket::Fault fault() const { return reader_.fault(); }
  websocket::ClosePayload close_payload() const { return reader_.close_payload(); }

  /// The pong with this payload answers a ping of our own and goes no further.
  void expect_pong(const std::array<std::byte, 8>& payload) { expected_pong_ = payload; }

 private:
  enum class Inflating : std::uint8_t { no, yes, stalled };
  struct Output {
    base::ByteQueue& queue;
    std::size_t room;
    Allowance& allowance;
    bool is_full() const { return queue.size() >= room || allowance.is_used_up(); }
    /// Of one piece of a frame; not to be called when it is full.
    std::size_t most_payload() const;
  };

  websocket::Fault on_header(Allowance& allowance);
  websocket::Fault on_payload(const FrameReader::Step& step, Output& out);
  void pass_control(base::Bytes payload, Output& out);
  websocket::Fault pass(const FrameReader::Step& step, Output& out);
  websocket::Fault inflate(base::Bytes packed, bool message_complete, Output& out);
  bool inflate_whole(base::Bytes packed, base::ByteQueue& text, websocket::Fault& fault, Output& out);
  std::size_t most_text(std::size_t held) const;
  deflate::History* history();
  websocket::Fault drain_decoder(base::Bytes& packed, bool message_complete, base::ByteQueue& text,
                                 Output& out);
  websocket::Fault accept_text(base::Bytes fresh, bool may_end_here);
  void send_fragment(base::ByteQueue& text, bool fin, Output& out);
  void end_message(Allowance& allowance);
  void stall(base::Bytes packed, bool message_complete);
  void drop_message();

  const Settings& settings_;
  Workshop& workshop_;
  Meter& meter_;
  FrameReader reader_;
  websocket::Utf8Check utf8_;
  bool streaming_ = false;      // a frame's header is on the app leg, its payload not all yet
  bool fragment_sent_ = false;  // of the inflated message
  Inflating inflating_ = Inflating::no;
  bool stalled_complete_ = false;
  websocket::MaskKey out_key_{};
  std::uint64_t message_bytes_ = 0;
  std::optional<std::array<std::byte, 8>> expected_pong_;
  std::optional<deflate::History> history_;
  std::optional<deflate::MessageDecoder> decoder_;
  base::ByteQueue held_;     // text of an unfinished compressed message
  base::ByteQueue stalled_;  // unmasked input that found no room
};

}  // namespace wsproxy::relay
