#pragma once

#include <array>
#include <vector>

#include "relay/meter.hpp"

namespace wsproxy::test {

/// Keeps what a relay says it did.
class CountingMeter final : public relay::Meter {
 public:
  struct Message {
    relay::Leg to;
    websocket::Opcode type;
    bool compressed;
    std::uint64_t size;
    bool operator==(const Message&) const = default;
  };

  void on_message(relay::Leg to, websocket::Opcode type, bool compressed, std::uint64_t size) override {
    messages.push_back({to, type, compressed, size});
  }
  void on_compressed(std::size_t text, std::size_t packed, std::uint64_t /*nanoseconds*/) override {
    text_bytes += text;
    packed_bytes += packed;
  }
  void on_shared(std::size_t text, std::size_t packed) override {
    text_bytes += text;
    packed_bytes += packed;
    ++shared;
  }
  void on_bypassed(deflate::Bypass reason, std::uint64_t /*nanoseconds*/) override {
    ++bypasses.at(static_cast<std::size_t>(reason));
  }
  void on_inflated(std::uint64_t /*nanoseconds*/) override {}

  void on_observed(const deflate::Observation& observation) override { observed.push_back(observation); }

  std::vector<Message> messages;
  std::vector<deflate::Observation> observed;
  std::uint64_t text_bytes = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t shared = 0;
  std::array<std::uint64_t, deflate::kBypassCount> bypasses{};  // by deflate::Bypass
};

}  // namespace wsproxy::test
