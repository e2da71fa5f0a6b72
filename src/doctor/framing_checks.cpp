#include <array>

#include "doctor/checks.hpp"

namespace wsproxy::doctor {
namespace {

using End = Conversation::End;

bool is_pong(const ServerEvent& event, std::string_view payload) {
  return event.opcode == websocket::Opcode::pong && event.payload == payload;
}

Finding ping(Subject& subject) {
  Finding finding;
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{125}}) {
    Conversation conversation{subject.target, subject.breaches};
    if (!conversation.open()) return no_handshake(conversation);
    const std::string payload(size, 'p');
    conversation.send(RawFrame{.opcode = kPing, .payload = payload});
    std::string wrong;
    const End end = conversation.wait([&](const ServerEvent& event) {
      if (event.opcode == websocket::Opcode::pong && event.payload != payload) wrong = event.payload;
      return is_pong(event, payload);
    });
    const std::string what = "a ping of " + std::to_string(size) + " bytes";
    if (end == End::found) continue;
    finding.add(what, failed(wrong.empty() ? conversation.told(end) : "its pong has another payload"));
  }
  return finding;
}

Finding pong(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  conversation.send(RawFrame{.opcode = kPong, .payload = "nobody asked"});
  return must_be_taken(conversation);
}

Finding lengths(Subject& subject) {
  Finding finding;
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U}) {
    Conversation conversation{subject.target, subject.breaches};
    if (!conversation.open()) return no_handshake(conversation);
    const std::string text(size, 'x');
    conversation.send(RawFrame{.payload = text});
    Finding one = must_be_echoed(subject, conversation, {text});
    if (conversation.close().close_code == 1009) one.status = Status::warn;
    finding.add("a message of " + std::to_string(size) + " bytes", one);
  }
  return finding;
}

Finding fragments(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  conversation.send(RawFrame{.payload = "in ", .fin = false});
  conversation.send(RawFrame{.opcode = kContinuation, .fin = false});
  conversation.send(RawFrame{.opcode = kContinuation, .payload = "four ", .fin = false});
  conversation.send(RawFrame{.opcode = kContinuation, .payload = "frames"});
  return must_be_echoed(subject, conversation, {"in four frames"});
}

Finding control_between(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  conversation.send(RawFrame{.payload = "before and ", .fin = false});
  const End early = conversation.ping();
  if (early != End::found && early != End::silent) return failed(conversation.told(early));
  conversation.send(RawFrame{.opcode = kContinuation, .payload = "after"});
  Finding finding = must_be_echoed(subject, conversation, {"before and after"});
  if (early == End::silent && finding.status == Status::pass) {
    // The last pong is that of the ping with which it was looked whether all goes on.
    return conversation.pongs() > 1 ? warned("the ping inside the message was answered only after its end")
                                    : failed("the ping inside the message was never answered");
  }
  return finding;
}

Finding in_pieces(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  const std::string bytes = frame_bytes({.payload = "byte by byte"});
  for (std::size_t at = 0; at + 1 < bytes.size(); ++at) {
    if (!conversation.send(std::string_view{bytes}.substr(at, 1))) break;
    // The time in which the byte leaves alone; what comes is no answer yet, but may be of the server's own.
    const End end = conversation.wait([](const ServerEvent&) { return false; }, std::chrono::milliseconds{1});
    if (end != End::silent) return failed("before the frame was complete: " + conversation.told(end));
  }
  conversation.send(std::string_view{bytes}.substr(bytes.size() - 1));
  return must_be_echoed(subject, conversation, {"byte by byte"});
}

Finding utf8(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return no_handshake(conversation);
  conversation.send(RawFrame{.payload = "5 \xe2\x82", .fin = false});
  conversation.send(RawFrame{.opcode = kContinuation, .payload = "\xac, \xf0\x9f", .fin = false});
  conversation.send(RawFrame{.opcode = kContinuation, .payload = "\x90\x9f"});
  return must_be_echoed(subject, conversation, {"5 \xe2\x82\xac, \xf0\x9f\x90\x9f"});
}

/// Made last: what the conversations of all checks have shown.
Finding server_frames(Subject& subject) {
  Finding finding;
  for (const auto& breach : subject.breaches) {
    if (finding.detail.find(breach) == std::string::npos) finding.add(breach, failed(""));
  }
  return finding;
}

constexpr std::string_view kFails = "clients that send this are cut, though they are right";

constexpr std::array kChecks = {
    Check{"framing.ping", "RFC 6455 5.5.2", "a ping is answered by a pong with its payload",
          "clients and load balancers that ping take the connection for dead", kHandshake, false, ping},
    Check{"framing.pong", "RFC 6455 5.5.3", "a pong that nobody asked for is passed over",
          "clients that send pongs to keep the connection alive, as some browsers do, are cut", kHandshake,
          false, pong},
    Check{"framing.lengths", "RFC 6455 5.2", "messages of every form of length are taken",
          "messages of some sizes end the connection or come out wrong", kHandshake | kMessages, false,
          lengths},
    Check{"framing.fragments", "RFC 6455 5.4", "a message in fragments is taken, an empty one among them",
          kFails, kHandshake | kMessages, false, fragments},
    Check{"framing.control_between", "RFC 6455 5.4", "a ping between fragments is answered at once",
          "a long message makes the connection look dead, or breaks it", kHandshake | kMessages, false,
          control_between},
    Check{"framing.in_pieces", "RFC 6455 5.2", "a frame may come byte by byte",
          "clients on slow networks are cut now and then", kHandshake | kMessages, false, in_pieces},
    Check{"framing.utf8", "RFC 6455 8.1", "a character may be split between fragments",
          "texts that are not ASCII end the connection now and then", kHandshake | kMessages, false, utf8},
    Check{"framing.server_frames", "RFC 6455 5.1", "all that the server itself sent was right",
          "strict clients, browsers among them, fail the connection", kHandshake, false, server_frames, true},
};

}  // namespace

std::span<const Check> framing_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
