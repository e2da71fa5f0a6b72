#include <cstdint>
#include <cstdlib>

#include "support/relay_rig.hpp"

// Both sides' bytes come from the fuzzer, in pieces of its choosing: the first byte chooses the
// parameters, then each piece is a byte of kind and size and that many bytes. Whatever comes, what
// the relay puts on either wire is legal (the rig's sinks throw otherwise), its queues stay within
// their room, and the same bytes of each side cut differently give each side the same messages.
namespace {

using namespace wsproxy;

test::RelayRig::Options options_for(std::uint8_t choice) {
  test::RelayRig::Options options;
  options.max_message_bytes = (choice & 1) != 0 ? 3000 : 0;
  if ((choice & 2) != 0) {
    options.params =
        deflate::Params{.server_window_bits = static_cast<std::uint8_t>(8 + (choice >> 2 & 7)),
                        .client_window_bits = static_cast<std::uint8_t>((choice & 32) != 0 ? 9 : 15),
                        .server_no_context_takeover = (choice & 64) != 0,
                        .client_no_context_takeover = (choice & 128) != 0};
  }
  options.min_size = 4;
  options.room = 4096;
  return options;
}

/// What a cut may not change. After a fault the app may get no close frame, if the fault came inside a
/// frame of which a part was on its way already.
std::vector<test::SeenMessage> essence(const std::vector<test::SeenMessage>& messages, bool with_close) {
  std::vector<test::SeenMessage> kept;
  for (const test::SeenMessage& message : messages) {
    if (with_close || message.opcode != 8) kept.push_back({message.opcode, false, message.payload});
  }
  return kept;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto options = options_for(data[0]);
  test::RelayRig cut(options);
  std::vector<std::byte> from_client;
  std::vector<std::byte> from_app;
  bool both_speak = false;
  for (std::size_t i = 1; i < size;) {
    const bool is_client = (data[i] & 0x80) == 0;
    const std::size_t length = std::min<std::size_t>(data[i] & 0x7f, size - i - 1);
    const auto* begin = reinterpret_cast<const std::byte*>(data) + i + 1;
    auto& all = is_client ? from_client : from_app;
    all.insert(all.end(), begin, begin + length);
    if (is_client) {
      cut.client_says(base::Bytes{begin, length});
    } else {
      cut.app_says(base::Bytes{begin, length});
    }
    i += 1 + length;
  }
  both_speak = !from_client.empty() && !from_app.empty();
  require(cut.most_queued() <= options.room + relay::kRoomOvershoot);
  // With one side silent the order of the pieces is the order of the bytes: no cut may matter.
  if (both_speak) return 0;
  test::RelayRig whole(options);
  whole.client_says(from_client);
  whole.app_says(from_app);
  const bool is_sound = whole.relay().fault(relay::Leg::client) == websocket::Fault::none;
  require(whole.relay().fault(relay::Leg::client) == cut.relay().fault(relay::Leg::client));
  require(whole.relay().fault(relay::Leg::app) == cut.relay().fault(relay::Leg::app));
  require(essence(cut.app.messages(), is_sound) == essence(whole.app.messages(), is_sound));
  require(essence(cut.client.messages(), true) == essence(whole.client.messages(), true));
  return 0;
}
