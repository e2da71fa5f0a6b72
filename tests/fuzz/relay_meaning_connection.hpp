#pragma once

#include "fuzz/relay_meaning_setup.hpp"
#include "support/counting_meter.hpp"

namespace wsproxy::test {

using relay::Leg;

/// A relay between two speakers that keep the protocol, and what is true after every call to it.
class Connection {
 public:
  Connection(Worker& worker, const Setup& setup)
      : worker_(worker),
        most_(setup.settings.max_message_bytes != 0 ? setup.settings.max_message_bytes : SIZE_MAX),
        deflater_(deflater_for(setup)),
        to_client_(false, inflater_for(setup.settings)),
        to_app_(true, nullptr),
        relay_(setup.settings, worker.workshop, meter_) {}

  void act(unsigned what, Choices& choices);
  /// Everything said is taken and written, and every message that nobody's end stood in the way of arrived.
  void settle();

 private:
  Direction& toward(Leg leg) { return leg == Leg::client ? to_client_ : to_app_; }
  Direction& from(Leg leg) { return leg == Leg::client ? to_app_ : to_client_; }
  bool& has_ended(Leg leg) { return leg == Leg::client ? client_ended_ : app_ended_; }
  bool is_settled(Leg leg) {
    return has_ended(leg) || (from(leg).speaker.wire().empty() && !relay_.is_stalled(leg));
  }
  bool is_closed(Leg leg) { return toward(leg).listener.closed().has_value(); }
  relay::Relay::Output output() { return {to_client_.queue, to_app_.queue, to_client_.room, to_app_.room}; }

  void say_message(Leg leg, Choices& choices);
  void say_close(Leg leg, Choices& choices);
  void end_somehow(Choices& choices);
  void give(Leg leg, std::size_t most);
  void swallow_our_pong(std::uint64_t taken_before);
  void ping();
  void close();
  void end(Leg leg);
  void give_up();
  void hear(std::string_view client_close, std::string_view app_close);
  void hear(Leg leg, std::string_view close);
  bool app_is_between_messages() const;
  bool app_is_inside_message(std::uint64_t taken) const;

  Worker& worker_;
  std::size_t most_;
  std::unique_ptr<PlainDeflater> deflater_;
  Direction to_client_;
  Direction to_app_;
  bool client_ended_ = false;
  bool app_ended_ = false;
  bool gave_up_ = false;
  bool close_waits_ = false;  // ours, for the end of the app's message
  std::uint8_t pings_ = 0;
  std::string last_ping_;                     // what the client would answer
  std::optional<std::string> expected_pong_;  // what the relay keeps to itself
  CountingMeter meter_;
  relay::Relay relay_;
};

}  // namespace wsproxy::test
