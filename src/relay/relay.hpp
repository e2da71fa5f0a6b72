#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "relay/leg.hpp"
#include "relay/to_app.hpp"
#include "relay/to_client.hpp"

namespace wsproxy::relay {

/// Who ended a connection first.
enum class EndedBy : std::uint8_t { nobody, client, app, proxy, operator_ };

/// The first cause of a connection's end; set once.
struct Ending {
  EndedBy by = EndedBy::nobody;
  std::uint16_t code = websocket::close_code::abnormal;
  std::string_view cause;  // a literal
};

/// Both directions of one connection and how it closes: bytes and facts go in, bytes and orders come
/// out. It owns no socket and no clock; the session carries out what it says.
///
///            client leg                               app leg
///   close frame from the client   ------------->  the same close frame
///   close frame from the app      <-------------  (the other way round)
///   protocol fault of the client: close 1002, 1007, 1009 back, the same to the app
///   refuse_client() by the proxy: its close frame back, the same to the app
///   protocol fault of the app:    close 1002 back, upstream.lost_code to the client
///   end of file of the client:    the app leg is shut down for sending after what is queued
///   end of file of the app:       upstream.lost_code to the client
///   close() by the proxy:         a close frame to the client between two messages; its answer goes on
///
/// An app leg that is inside a frame gets no close frame: it can only be cut. The client leg is never
/// inside one between two calls.
class Relay {
 public:
  /// The workshop and the meter outlive the relay.
  Relay(const Settings& settings, Workshop& workshop, Meter& meter);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  struct Output {
    base::ByteQueue& to_client;
    base::ByteQueue& to_app;
    std::size_t client_room =
        SIZE_MAX;  // how many bytes the queue may hold; exceeded by kRoomOvershoot at most
    std::size_t app_room = SIZE_MAX;
  };

  /// Bytes came from a leg. Returns how many were used: fewer than given when the other leg has no
  /// room, and then the rest is to be given again after writing. Unmasks in place.
  std::size_t received(Leg from, base::MutableBytes input, const Output& out);
  /// The same, and no more than so much is taken now. An app's bytes are not counted, only its messages and
  /// control frames.
  std::size_t received_within(Leg from, base::MutableBytes input, const Output& out, Allowance& allowance);
  /// The leg's peer will send no more. `cause` says how, e.g. "end of file".
  void ended(Leg leg, std::string_view cause, const Output& out);
  /// The proxy's own wish to end, as soon as the client leg is between two messages.
  void close(EndedBy by, std::uint16_t code, std::string_view reason, const Output& out);
  /// The client broke a rule of the proxy's: it is not listened to any more, and both sides get this close
  /// frame. `reason` is a literal.
  void refuse_client(std::uint16_t code, std::string_view reason, const Output& out);
  /// timeouts.close is over: answers what is unanswered; after that both legs are to be cut.
  void give_up(const Output& out);
  /// A ping of our own; false when the client has had its close frame.
  bool ping_client(const std::array<std::byte, 8>& payload, const Output& out);

  /// Whether what a leg says still matters; else its bytes are read and thrown away.
  bool listens(Leg leg) const;
  /// Whether nothing more will be sent to a leg: shut it down once its queue is written.
  bool may_shut_down(Leg leg) const;
  /// Whether a leg is to be cut without more ado, since no close frame can reach it.
  bool must_cut(Leg leg) const { return state(leg).must_cut; }
  /// Whether the end has begun: from now on timeouts.close counts.
  bool is_closing() const { return is_closing_; }
  /// A close frame of ours waits for the end of a message to the client.
  bool is_close_pending() const { return pending_close_.has_value(); }
  /// Whether taken input of this leg waits for room on the other, or to be allowed.
  bool is_stalled(Leg from) const { return from == Leg::client && listens(from) && to_app_.is_stalled(); }

  /// Whether some of a message has come from this leg since this was asked last; control frames are none.
  bool take_saw_data(Leg from) {
    return from == Leg::client ? to_app_.take_saw_data() : to_client_.take_saw_data();
  }

  const Ending& ending() const { return ending_; }
  /// The code of the first close frame that a leg saw, either way; 1006 for none.
  std::uint16_t close_code(Leg leg) const { return state(leg).code; }
  websocket::Fault fault(Leg leg) const { return leg == Leg::client ? to_app_.fault() : to_client_.fault(); }

 private:
  struct LegState {
    bool close_sent = false;
    bool close_received = false;
    bool failed = false;  // broke the protocol: not listened to any more
    bool ended = false;
    bool must_cut = false;
    std::uint16_t code = websocket::close_code::abnormal;
  };
  struct PendingClose {
    std::uint16_t code;
    std::string reason;
  };

  LegState& state(Leg leg) { return legs_[static_cast<std::size_t>(leg)]; }
  const LegState& state(Leg leg) const { return legs_[static_cast<std::size_t>(leg)]; }
  std::size_t received_from_client(base::MutableBytes input, const Output& out, Allowance& allowance);
  std::size_t received_from_app(base::MutableBytes input, const Output& out, Allowance& allowance);
  void begin_ending(EndedBy by, std::uint16_t code, std::string_view cause);
  void send_close(Leg to, std::uint16_t code, std::string_view reason, const Output& out);
  void on_close_frame(Leg from, const websocket::ClosePayload& payload, const Output& out);
  void on_app_fault(const Output& out);
  void send_pending_close(const Output& out);

  Settings settings_;
  Workshop& workshop_;
  ToApp to_app_;
  ToClient to_client_;
  std::array<LegState, 2> legs_;
  bool is_closing_ = false;
  Ending ending_;
  std::optional<PendingClose> pending_close_;
};

}  // namespace wsproxy::relay
