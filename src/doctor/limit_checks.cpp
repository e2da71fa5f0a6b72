#include <array>

#include "doctor/checks.hpp"

namespace wsproxy::doctor {
namespace {

using Answer = Conversation::Answer;
using End = Conversation::End;

Finding header(Subject& subject) {
  UpgradeRequest request{subject.target};
  request.add("X-Doctor", std::string(std::size_t{128} << 10, 'x'));
  Conversation conversation{subject.target, subject.breaches};
  const Answer answer = conversation.ask(request);
  if (answer == Answer::switched || answer == Answer::wrong) return warned("a header of 128 KiB is taken");
  if (answer == Answer::none && !conversation.is_over()) return warned(conversation.problem());
  return passed();
}

Finding length(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  conversation.send(header_bytes(std::uint64_t{1} << 62));
  const End end = conversation.wait_for_close();
  if (end == End::closed && conversation.close().close_code == 1009) return passed();
  if (end == End::silent) return warned("it waits for a frame of 2^62 bytes");
  return end == End::breach ? failed(conversation.told(end))
                            : warned(conversation.told(end) + ", where 1009 is meant");
}

constexpr std::array kChecks = {
    Check{"limits.header", "RFC 6585 5", "a request with a header of 128 KiB is refused",
          "anybody can fill its memory before the handshake", kHandshake, false, header},
    Check{"limits.length", "RFC 6455 10.4", "a frame that announces 2^62 bytes is refused at once",
          "anybody can send until its memory is full, if it keeps whole messages", kHandshake, false, length},
};

}  // namespace

std::span<const Check> limit_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
