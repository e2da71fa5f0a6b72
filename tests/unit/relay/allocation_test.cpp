// A steady flow allocates nothing: what comes and goes with a message is taken from what the worker keeps.
// zlib allocates with malloc, but only together with the object that holds its stream.

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/allocations.hpp"
#include "support/frame_bytes.hpp"
#include "support/relay_rig.hpp"

using namespace wsproxy;
using deflate::EngineChoice;
using test::FrameBytes;

namespace {

constexpr int kWarmUp = 2000;
constexpr int kMessages = 1000;
// Between two housekeeping rounds, which give back what a slower flow does not use.
constexpr int kPerRound = 250;
constexpr std::uint8_t kWindowBits = 12;

class QuietMeter final : public relay::Meter {
 public:
  void on_message(relay::Leg, websocket::Opcode, bool, std::uint64_t) override { ++messages; }
  void on_compressed(std::size_t, std::size_t, std::uint64_t) override { ++compressed; }
  void on_shared(std::size_t, std::size_t) override { ++shared; }
  void on_bypassed(deflate::Bypass, std::uint64_t) override {}
  void on_inflated(std::uint64_t) override {}
  void on_observed(const deflate::Observation& /*observation*/) override {}

  int messages = 0;
  int compressed = 0;
  int shared = 0;
};

void fill_with_zeros(base::MutableBytes bytes) {
  for (std::byte& byte : bytes) byte = std::byte{0};
}

std::uint64_t no_time() {
  return 0;
}

relay::Settings settings(std::optional<EngineChoice> engine) {
  relay::Settings settings;
  if (engine) {
    settings.compression =
        relay::CompressionSettings{{.client_window_bits = kWindowBits}, {.engine = *engine}};
  }
  return settings;
}

/// What one worker has for its connections, and some that are all alike. Frames are made beforehand.
class Connections {
 public:
  Connections(std::size_t count, std::optional<EngineChoice> engine) {
    for (std::size_t i = 0; i < count; ++i) {
      relays_.push_back(std::make_unique<relay::Relay>(settings(engine), workshop_, meter));
    }
  }

  /// Gives every connection the message; returns how often that allocated.
  std::size_t pass(relay::Leg from, std::vector<std::byte> frame) {
    std::vector<std::vector<std::byte>> copies(relays_.size(), frame);  // which are unmasked in place
    const std::size_t before = test::allocation_count();
    for (std::size_t i = 0; i < relays_.size(); ++i) {
      if (relays_[i]->received(from, copies[i], {to_client_, to_app_}) != copies[i].size()) {
        throw std::runtime_error("not all was taken");
      }
      to_client_.clear();
      to_app_.clear();
    }
    return test::allocation_count() - before;
  }
  void end_round() { codecs_.end_round(1000); }

  QuietMeter meter;

 private:
  deflate::Codecs codecs_{{}};
  websocket::MaskKeys mask_keys_{fill_with_zeros};
  base::ByteQueue text_;
  base::ByteQueue packed_;
  base::ByteQueue to_client_;
  base::ByteQueue to_app_;
  relay::Workshop workshop_{codecs_, mask_keys_, text_, packed_, no_time};
  std::vector<std::unique_ptr<relay::Relay>> relays_;
};

/// About 240 bytes, no two the same.
std::string chat(int i) {
  const auto number = [i](unsigned of) {
    return std::to_string(static_cast<unsigned>(i + 1) * 2654435761U * of % 1000003U);
  };
  return R"({"type":"message","room":"lobby","user":"user-)" + number(3) + R"(","avatar":"/avatars/)" +
         number(5) + R"(.png","text":"hello to everybody in here, and good luck with number )" + number(7) +
         R"( of all the things","time":"2026-11-22T12:)" + number(11) + R"(Z","reply_to":)" + number(13) +
         R"(,"id":)" + std::to_string(100000 + i) + "}";
}

std::vector<std::byte> from_app(int i) {
  return FrameBytes{}.fin().text().payload(chat(i)).build();
}

std::vector<std::byte> from_client(int i, test::Deflater* deflater) {
  if (deflater == nullptr) return FrameBytes{}.fin().text().masked().payload(chat(i)).build();
  return FrameBytes{}.fin().rsv1().text().masked().payload(deflater->message(chat(i))).build();
}

/// Passes so many messages and counts the allocations.
template <class MakeFrame>
std::size_t flow(Connections& connections, relay::Leg from, int first, int count, MakeFrame make_frame) {
  std::size_t allocations = 0;
  for (int i = first; i < first + count; ++i) {
    if (i % kPerRound == 0) connections.end_round();
    allocations += connections.pass(from, make_frame(i));
  }
  return allocations;
}

}  // namespace

TEST_CASE("A steady flow of the app's messages, each for one client only, allocates nothing") {
  const auto engine = GENERATE(EngineChoice::automatic, EngineChoice::zlib);
  Connections connections(1, engine);
  flow(connections, relay::Leg::app, 0, kWarmUp, from_app);
  CHECK(flow(connections, relay::Leg::app, kWarmUp, kMessages, from_app) == 0);
  CHECK(connections.meter.compressed > kMessages);
  CHECK(connections.meter.shared == 0);
}

TEST_CASE("A steady feed that ten clients get allocates nothing") {
  const auto engine = GENERATE(EngineChoice::automatic, EngineChoice::zlib);
  Connections connections(10, engine);
  flow(connections, relay::Leg::app, 0, kWarmUp, from_app);
  connections.meter.shared = 0;
  CHECK(flow(connections, relay::Leg::app, kWarmUp, kMessages, from_app) == 0);
  CHECK(connections.meter.shared == 9 * kMessages);
}

TEST_CASE("A steady flow of a client's compressed messages allocates nothing") {
  const auto engine = GENERATE(EngineChoice::automatic, EngineChoice::zlib);
  Connections connections(1, engine);
  test::Deflater deflater(kWindowBits);
  const auto make = [&](int i) { return from_client(i, &deflater); };
  flow(connections, relay::Leg::client, 0, kWarmUp, make);
  CHECK(flow(connections, relay::Leg::client, kWarmUp, kMessages, make) == 0);
  CHECK(connections.meter.messages == kWarmUp + kMessages);
}

TEST_CASE("A steady flow without the extension allocates nothing either way") {
  Connections connections(1, std::nullopt);
  const auto from = GENERATE(relay::Leg::client, relay::Leg::app);
  const auto make = [&](int i) { return from == relay::Leg::app ? from_app(i) : from_client(i, nullptr); };
  flow(connections, from, 0, 10, make);
  CHECK(flow(connections, from, 10, kMessages, make) == 0);
  CHECK(connections.meter.messages == 10 + kMessages);
}
