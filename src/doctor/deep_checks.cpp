#include <algorithm>
#include <array>

#include "doctor/checks.hpp"
#include "doctor/client_deflate.hpp"

namespace wsproxy::doctor {
namespace {

using End = Conversation::End;
using Receipt = Wire::Receipt;

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Too much was sent: closing is right, best with 1009.
Finding must_be_limited(Conversation& conversation, std::string_view what) {
  const End end = conversation.ping();
  if (end == End::found) return warned("it takes " + std::string{what});
  if (end == End::closed && conversation.close().close_code == 1009) return passed();
  if (end == End::breach || end == End::silent) return failed(conversation.told(end));
  return warned(conversation.told(end) + ", where 1009 is meant");
}

Finding message(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  bool goes_on = conversation.send(header_bytes(64 * kMiB));
  const std::string part(kMiB, '\0');
  for (int i = 0; i < 64 && goes_on; ++i) goes_on = conversation.send(part);
  return must_be_limited(conversation, "a message of 64 MiB");
}

Finding bomb(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(kUsualOffer)) return no_handshake(conversation);
  conversation.send(frame_bytes({.opcode = kBinary, .payload = bomb_message(256 * kMiB), .rsv = kRsv1}));
  return must_be_limited(conversation, "256 MiB out of 256 KiB");
}

Finding fragments(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  std::string flood = frame_bytes({.fin = false});
  const std::string empty = frame_bytes({.opcode = kContinuation, .fin = false});
  for (int i = 0; i < 20'000; ++i) flood += empty;
  conversation.send(flood + frame_bytes({.opcode = kContinuation, .payload = "at last"}));
  const End end = conversation.ping();
  return end == End::silent || end == End::breach ? failed(conversation.told(end))
                                                  : passed(conversation.told(end));
}

/// A server may answer only the newest of several pings (section 5.5.3), or slow down who sends many.
Finding pings(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  std::string flood;
  for (int i = 0; i < 5000; ++i) flood += frame_bytes({.opcode = kPing, .payload = "one of 5000"});
  conversation.send(flood);
  End end = conversation.ping();
  if (end != End::silent) return end == End::found ? passed() : failed(conversation.told(end));
  end = conversation.wait([](const ServerEvent& event) { return event.opcode == websocket::Opcode::pong; });
  return end == End::found ? passed("slowed down, and still answered") : failed(conversation.told(end));
}

Finding slow_head(Subject& subject) {
  Wire wire;
  if (!wire.open(subject.target, {})) return failed(wire.problem());
  const std::string text = UpgradeRequest{subject.target}.text();
  wire.send(base::as_bytes(text).first(text.size() / 2), subject.target.patience);
  base::ByteQueue answer;
  const auto patience = 12 * subject.target.patience;
  Receipt receipt = Receipt::bytes;
  while (receipt == Receipt::bytes)
    receipt = wire.receive(answer, patience);  // 408, perhaps, and then the end
  return receipt == Receipt::end ? passed() : warned("half a request is kept for ever");
}

/// Messages go out while nothing is read, until the server takes no more; then all comes back that was sent.
Finding slow_reader(Subject& subject) {
  constexpr std::size_t kSize = std::size_t{64} << 10;
  constexpr std::size_t kMost = 64 * kMiB / kSize;
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  const auto content = [](std::size_t number) {
    return std::string(kSize, static_cast<char>('a' + number % 26));
  };
  const auto quiet = std::min(subject.target.patience, Wire::Patience{1000});
  std::size_t sent = 0;
  auto progress = Wire::Progress::taken;
  while (sent < kMost && progress == Wire::Progress::taken) {
    const std::string text = content(sent++);
    progress = conversation.wire().send(base::as_bytes(frame_bytes({.payload = text})), quiet);
  }
  if (progress == Wire::Progress::over)
    return failed("the connection ended after " + std::to_string(sent) + " messages");
  const End end = conversation.wait_for_messages(sent);
  if (end != End::found) return failed("while what waits is read: " + conversation.told(end));
  for (std::size_t i = 0; i < sent; ++i) {
    if (conversation.messages()[i].payload != content(i))
      return failed("answer " + std::to_string(i + 1) + " is not what was sent");
  }
  if (progress == Wire::Progress::taken) return warned("64 MiB are taken for a client that does not read");
  return passed("it stopped taking after " + std::to_string(sent * kSize / kMiB) + " MiB");
}

constexpr std::string_view kMemory = "anybody can fill its memory";

constexpr std::array kChecks = {
    Check{"limits.message", "RFC 6455 10.4", "a message of 64 MiB is refused", kMemory, kHandshake, true,
          message},
    Check{"limits.bomb", "RFC 7692 8", "a message that inflates to 256 MiB is refused", kMemory,
          kHandshake | kDeflate, true, bomb},
    Check{"limits.fragments", "RFC 6455 10.4", "20,000 empty fragments are borne or refused",
          "anybody can stop it for everybody", kHandshake, true, fragments},
    Check{"limits.pings", "RFC 6455 5.5.3", "5000 pings at once are answered, the last one at least",
          "keep-alives that come together after a pause of the network end the connection", kHandshake, true,
          pings},
    Check{"limits.slow_head", "RFC 9112 9.5", "half a request is not kept for ever",
          "anybody can hold all its connections with no effort", kHandshake, true, slow_head},
    Check{"limits.slow_reader", "RFC 6455 10.4", "it stops reading from a client that does not read", kMemory,
          kHandshake | kMessages | kEcho, true, slow_reader},
};

}  // namespace

std::span<const Check> deep_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
