#include <algorithm>
#include <array>

#include "doctor/checks.hpp"
#include "doctor/client_deflate.hpp"

namespace wsproxy::doctor {
namespace {

using End = Conversation::End;

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Too much was sent, and this came of it: closing is right, best with 1009.
Finding judged_limit(const Conversation& conversation, End end, std::string_view what) {
  if (end == End::found || end == End::too_much) return warned("it takes " + std::string{what});
  if (end == End::closed && conversation.close().close_code == 1009) return passed();
  if (end == End::breach || end == End::silent) return failed(conversation.told(end));
  return warned(conversation.told(end) + ", where 1009 is meant");
}

Finding message(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  conversation.send(header_bytes(64 * kMiB));
  const std::string part(kMiB, '\0');
  auto progress = Wire::Progress::taken;
  for (int i = 0; i < 64 && progress == Wire::Progress::taken; ++i)
    progress = conversation.wire().send(base::as_bytes(part), subject.target.patience);
  // In the middle of the frame a ping would be payload.
  const bool is_whole = progress == Wire::Progress::taken;
  const End end = is_whole ? conversation.ping() : conversation.wait_for_close();
  if (progress == Wire::Progress::blocked && end == End::silent)
    return skipped(
        "the message did not go out in time: the way there is slow, or the server reads on no more");
  return judged_limit(conversation, end, "a message of 64 MiB");
}

Finding bomb(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(kUsualOffer)) return no_handshake(conversation);
  conversation.send(frame_bytes({.opcode = kBinary, .payload = bomb_message(256 * kMiB), .rsv = kRsv1}));
  return judged_limit(conversation, conversation.ping(), "256 MiB out of 256 KiB");
}

/// Whoever sends too much may be cut, as long as others are served.
Finding unless_it_is_down(Subject& subject, std::string detail) {
  Conversation next{subject.target, subject.breaches};
  return next.open() ? passed(std::move(detail)) : failed("nobody is served any more: " + next.problem());
}

Finding fragments(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  std::string flood = frame_bytes({.fin = false});
  const std::string empty = frame_bytes({.opcode = kContinuation, .fin = false});
  for (int i = 0; i < 20'000; ++i) flood += empty;
  conversation.send(flood + frame_bytes({.opcode = kContinuation, .payload = "at last"}));
  const End end = conversation.ping();
  if (end == End::silent || end == End::breach) return failed(conversation.told(end));
  return unless_it_is_down(subject, conversation.told(end));
}

/// A server may answer only the newest of several pings (section 5.5.3), or slow down who sends many. To
/// close with a code for that is a policy that tells itself.
Finding pings(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  std::string flood;
  for (int i = 0; i < 5000; ++i) flood += frame_bytes({.opcode = kPing, .payload = "one of 5000"});
  conversation.send(flood);
  End end = conversation.ping();
  if (end == End::found) return passed();
  if (end == End::silent) {
    end = conversation.wait([](const ServerEvent& event) { return event.opcode == websocket::Opcode::pong; });
    if (end == End::found) return passed("slowed down, and still answered");
  }
  return end == End::closed ? warned(conversation.told(end)) : failed(conversation.told(end));
}

Finding slow_head(Subject& subject) {
  Wire wire;
  if (!wire.open(subject.target, {})) return failed(wire.problem());
  const std::string text = UpgradeRequest{subject.target}.text();
  wire.send(base::as_bytes(text).first(text.size() / 2), subject.target.patience);
  return wire.wait_for_end(12 * subject.target.patience) ? passed()  // behind a 408, perhaps
                                                         : warned("half a request is kept for ever");
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
  std::size_t right = 0;
  bool any_wrong = false;
  const End end = conversation.wait([&](const ServerEvent& event) {
    if (is_control(event.opcode)) return false;
    const bool is_right = event.payload == content(right);
    if (is_right) ++right;
    any_wrong = any_wrong || (!is_right && event.payload.size() == kSize);
    return right == sent;
  });
  if (end != End::found) {
    const bool was_cut = progress != Wire::Progress::taken && (end == End::closed || end == End::ended);
    if (was_cut && !any_wrong) {
      return unless_it_is_down(subject, "the slow reader was cut after " +
                                            std::to_string(sent * kSize / kMiB) +
                                            " MiB: " + conversation.told(end));
    }
    return failed("of " + std::to_string(sent) + " answers " + std::to_string(right) +
                  " are what was sent: " + conversation.told(end));
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
