#pragma once

#include <memory>

#include "differential/setup.hpp"
#include "fuzz/relay_meaning_listener.hpp"
#include "relay/relay.hpp"
#include "support/counting_meter.hpp"

namespace wsproxy::test {

using relay::Leg;

/// What a worker lends to its connections, of a size by the dice.
struct DifferentialWorker {
  explicit DifferentialWorker(Dice& dice);

  deflate::Codecs codecs;
  websocket::MaskKeys mask_keys;
  base::ByteQueue text;
  base::ByteQueue packed;
  relay::Workshop workshop;
};

/// A relay between two ends of Beast, or between a zlib client and Beast's app. Everything that either
/// direction puts on its wire is judged twice: by a reader and an inflater of exactly the agreed window that
/// share nothing with the product, and by Beast.
class DifferentialConnection {
 public:
  DifferentialConnection(DifferentialWorker& worker, Dice& dice, Dice for_setup);

  /// Says a message and carries it to the other end.
  void say(Leg leg, bool is_text, const std::string& payload);
  void ping(Leg leg);
  /// Both ends are told, and nothing that was meant is missing.
  void close(Leg leg);
  /// How much the client may say.
  std::size_t most() const { return setup_.most; }
  const CountingMeter& meter() const { return meter_; }
  bool is_compressed() const { return setup_.settings.compression.has_value(); }

 private:
  /// What goes to one leg.
  struct Way {
    Way(bool to_app, std::unique_ptr<PlainInflater> inflater);
    std::deque<Meant> meant;
    std::deque<Meant> arrived;  // and Beast has not said so yet
    Listener listener;
    base::ByteQueue queue;
  };

  BeastEnd& end(Leg leg) { return leg == Leg::client ? *setup_.client : app_; }
  Way& to(Leg leg) { return leg == Leg::client ? to_client_ : to_app_; }
  Way& from(Leg leg) { return leg == Leg::client ? to_app_ : to_client_; }
  bool speaks_zlib(Leg leg) const { return leg == Leg::client && speaker_; }

  void say_with_beast(Leg leg, bool is_text, std::string_view payload);
  void say_with_zlib(bool is_text, const std::string& payload);
  void carry();
  bool give(Leg leg);
  std::string take_said(Leg leg);
  void deliver(Leg leg);
  void compare(Leg leg);
  std::size_t piece();
  relay::Relay::Output output() { return {to_client_.queue, to_app_.queue, setup_.room, setup_.room}; }

  DifferentialWorker& worker_;
  Dice& dice_;
  DifferentialSetup setup_;
  BeastEnd app_;
  Way to_client_;
  Way to_app_;
  std::unique_ptr<Speaker> speaker_;  // of zlib's client
  CountingMeter meter_;
  relay::Relay relay_;
};

}  // namespace wsproxy::test
