#include <algorithm>
#include <array>

#include "doctor/checks.hpp"

namespace wsproxy::doctor {
namespace {

using End = Conversation::End;

/// Sends a close frame and wants one with one of the codes. One without a code (1005) is no more than odd:
/// the code is "typically" echoed (section 5.5.1).
Finding answered(Subject& subject, std::string_view payload, std::initializer_list<std::uint16_t> codes) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  conversation.send(RawFrame{.opcode = kClose, .payload = payload});
  const End end = conversation.wait_for_close();
  if (end != End::closed) return failed(conversation.told(end));
  const std::uint16_t given = conversation.close().close_code;
  if (std::find(codes.begin(), codes.end(), given) != codes.end()) return passed();
  return given == 1005 ? warned("answered by an empty close frame") : failed(conversation.told(end));
}

Finding answer(Subject& subject) {
  return answered(subject, close_payload(1000), {1000});
}

Finding empty(Subject& subject) {
  return answered(subject, {}, {1005, 1000});
}

Finding codes(Subject& subject) {
  Finding finding;
  for (const std::uint16_t code : {std::uint16_t{1001}, std::uint16_t{3000}, std::uint16_t{4999}}) {
    const std::string what = "the code " + std::to_string(code);
    // The answer echoes the code as a rule (section 5.5.1); 1000 is all the same to a client that goes.
    finding.add(what, answered(subject, close_payload(code, "the doctor goes: \xe2\x9c\x93"), {code, 1000}));
  }
  return finding;
}

Finding bad_codes(Subject& subject) {
  Finding finding;
  for (const int code : {999, 1004, 1005, 1006, 1015, 2000, 5000}) {
    const std::string payload = close_payload(static_cast<std::uint16_t>(code));
    const std::string bytes = frame_bytes({.opcode = kClose, .payload = payload});
    finding.add("the code " + std::to_string(code), must_be_refused(subject, {}, bytes, {1002}));
  }
  return finding;
}

Finding one_byte(Subject& subject) {
  return must_be_refused(subject, {}, frame_bytes({.opcode = kClose, .payload = "\x03"}), {1002});
}

Finding bad_reason(Subject& subject) {
  const std::string payload = close_payload(1000, "caf\xff");
  return must_be_refused(subject, {}, frame_bytes({.opcode = kClose, .payload = payload}), {1007, 1002});
}

Finding after(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  const std::string payload = close_payload(1000);
  conversation.send(frame_bytes({.opcode = kClose, .payload = payload}) +
                    frame_bytes({.opcode = kPing, .payload = "too late"}));
  bool was_answered = false;
  const auto is_pong = [&](const ServerEvent& event) {
    was_answered = event.opcode == websocket::Opcode::pong;
    return was_answered;
  };
  const End end = conversation.wait(is_pong);
  if (was_answered || (end == End::closed && conversation.is_answered_behind_close()))
    return failed("a ping behind the close frame is answered");
  return end == End::closed || end == End::ended ? passed() : failed(conversation.told(end));
}

Finding tcp(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  const std::string payload = close_payload(1000);
  conversation.send(RawFrame{.opcode = kClose, .payload = payload});
  const End end = conversation.wait_for_close();
  if (end != End::closed) return skipped("there was no closing handshake: " + conversation.told(end));
  return conversation.wire().wait_for_end(subject.target.patience) ? passed()
                                                                   : warned("the connection is still open");
}

constexpr std::string_view kWrong =
    "nobody learns that a client is broken, and its broken close counts as a good one";

constexpr std::array kChecks = {
    Check{"closing.answer", "RFC 6455 5.5.1", "a close frame is answered by a close frame with its code",
          "clients wait for their timeout and report 1006 where all was well", kHandshake, false, answer},
    Check{"closing.empty", "RFC 6455 5.5.1", "a close frame without a code is answered",
          "close() without arguments looks like a failure", kHandshake, false, empty},
    Check{"closing.codes", "RFC 6455 7.4.2", "codes of applications and libraries are taken",
          "applications cannot tell why they close", kHandshake, false, codes},
    Check{"closing.bad_codes", "RFC 6455 7.4", "codes that may not be sent are refused", kWrong, kHandshake,
          false, bad_codes},
    Check{"closing.one_byte", "RFC 6455 5.5.1", "half a code is refused", kWrong, kHandshake, false,
          one_byte},
    Check{"closing.bad_reason", "RFC 6455 5.5.1", "a reason that is not UTF-8 is refused", kWrong, kHandshake,
          false, bad_reason},
    Check{"closing.after", "RFC 6455 5.5.1", "nothing is answered behind a close frame",
          "what is sent after the goodbye is taken, and its sender thinks it was not", kHandshake, false,
          after},
    Check{"closing.tcp", "RFC 6455 7.1.1", "the server ends the TCP connection after the closing handshake",
          "clients that wait for it hang, and ports stay in TIME_WAIT at their end", kHandshake, false, tcp},
};

}  // namespace

std::span<const Check> closing_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
