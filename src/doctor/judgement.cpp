#include <algorithm>

#include "doctor/checks.hpp"

namespace wsproxy::doctor {

Finding no_handshake(const Conversation& conversation) {
  return failed("no handshake: " + conversation.problem());
}

Finding must_be_refused(Subject& subject, std::string_view offer, std::string_view bytes,
                        std::initializer_list<std::uint16_t> codes) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(offer)) return no_handshake(conversation);
  conversation.send(bytes);
  const auto end = conversation.ping();
  switch (end) {
    case Conversation::End::found:
      return failed("the server goes on as if nothing were wrong");
    case Conversation::End::silent:
      return failed("the server neither closes nor answers");
    case Conversation::End::ended:
      return warned("dropped without a close frame, where " + std::to_string(*codes.begin()) + " tells why");
    case Conversation::End::breach:
    case Conversation::End::too_much:
      return failed(conversation.told(end));
    case Conversation::End::closed:
      break;
  }
  if (std::find(codes.begin(), codes.end(), conversation.close().close_code) != codes.end()) return passed();
  return warned(conversation.told(end) + ", where " + std::to_string(*codes.begin()) + " is meant");
}

Finding must_be_taken(Conversation& conversation) {
  const auto end = conversation.ping();
  return end == Conversation::End::found ? passed() : failed(conversation.told(end));
}

Finding must_be_echoed(const Subject& subject, Conversation& conversation,
                       std::initializer_list<std::string_view> texts) {
  if (!subject.echoes) return must_be_taken(conversation);
  const auto end = conversation.wait_for_echoes({texts.begin(), texts.size()});
  if (end == Conversation::End::found) return must_be_taken(conversation);
  if (end == Conversation::End::silent && conversation.messages().size() >= texts.size())
    return failed("what comes back is not what was sent");
  return failed("an answer that does not come: " + conversation.told(end));
}

}  // namespace wsproxy::doctor
