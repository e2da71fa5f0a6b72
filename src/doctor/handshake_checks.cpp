#include <array>

#include "doctor/checks.hpp"
#include "doctor/offers.hpp"

namespace wsproxy::doctor {
namespace {

using Answer = Conversation::Answer;

Finding accept(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return failed(conversation.problem());
  const auto end = conversation.ping();
  const bool is_there = end == Conversation::End::found || end == Conversation::End::silent;
  return is_there ? passed() : failed(conversation.told(end));  // pings are another check's
}

/// A request that every server has to switch protocols for.
Finding must_switch(Subject& subject, const UpgradeRequest& request) {
  Conversation conversation{subject.target, subject.breaches};
  return conversation.ask(request) == Answer::switched ? passed() : failed(conversation.problem());
}

Finding case_of_names(Subject& subject) {
  Finding finding;
  UpgradeRequest mixed{subject.target};
  mixed.set("Upgrade", "WebSocket").set("Connection", "keep-alive, UPGRADE");
  finding.add("Upgrade: WebSocket with Connection: keep-alive, UPGRADE", must_switch(subject, mixed));
  UpgradeRequest lower{subject.target};
  lower.set("Host", std::string{lower.value("Host")}, "host")
      .set("Upgrade", "websocket", "UPGRADE")
      .set("Connection", "Upgrade", "connection")
      .set("Sec-WebSocket-Key", std::string{lower.value("Sec-WebSocket-Key")}, "sec-websocket-key")
      .set("Sec-WebSocket-Version", "13", "SEC-WEBSOCKET-VERSION");
  finding.add("header names in another case", must_switch(subject, lower));
  return finding;
}

Finding subprotocol(Subject& subject) {
  UpgradeRequest request{subject.target};
  request.remove("Sec-WebSocket-Protocol");  // which may have been given for all requests
  request.add("Sec-WebSocket-Protocol", "doctor.v2.invalid, doctor.v1.invalid");
  Conversation conversation{subject.target, subject.breaches};
  const Answer answer = conversation.ask(request);
  if (answer == Answer::wrong) return failed(conversation.problem());
  // A server may refuse a client with which it has no subprotocol in common.
  if (answer == Answer::none) return failed(conversation.problem());
  return passed();
}

Finding unasked(Subject& subject) {
  UpgradeRequest request{subject.target};
  const bool is_given = !request.value("Sec-WebSocket-Protocol").empty();
  Conversation conversation{subject.target, subject.breaches};
  const Answer answer = conversation.ask(request.remove("Sec-WebSocket-Protocol"));
  if (answer == Answer::switched) return passed();
  if (answer == Answer::refused && is_given && subject.has_handshake)
    return skipped("without a subprotocol " + conversation.problem());
  return failed(conversation.problem());
}

Finding unknown_extension(Subject& subject) {
  UpgradeRequest request{subject.target};
  request.add("Sec-WebSocket-Extensions", "x-doctor-knows; a=1; b");
  return must_switch(subject, request);
}

Finding extra_headers(Subject& subject) {
  UpgradeRequest request{subject.target};
  for (int i = 0; i < 30; ++i) {
    request.add("X-Doctor-" + std::to_string(i), "what nobody knows is to be passed over");
  }
  request.add("X-Empty", "");
  return must_switch(subject, request);
}

Finding in_pieces(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  const Answer answer = conversation.ask_in_pieces(UpgradeRequest{subject.target}, 10);
  return answer == Answer::switched ? passed() : failed(conversation.problem());
}

constexpr std::array kChecks = {
    Check{"handshake.accept", "RFC 6455 4.2.2", "the upgrade is answered by a 101 that a client may accept",
          "no client can connect", kNothing, false, accept},
    Check{"handshake.case", "RFC 6455 4.2.1", "names and tokens count in any case",
          "clients that write their headers differently cannot connect, and some proxies rewrite them",
          kHandshake, false, case_of_names},
    Check{"handshake.extra_headers", "RFC 9110 5.1", "headers that it does not know are passed over",
          "clients behind proxies that add headers cannot connect", kHandshake, false, extra_headers},
    Check{"handshake.in_pieces", "RFC 9112 2.2", "a request may come in several segments",
          "clients on slow or lossy networks cannot connect now and then", kHandshake, false, in_pieces},
    Check{"handshake.subprotocol", "RFC 6455 4.2.2", "it picks no subprotocol that was not offered",
          "browsers fail the connection", kHandshake, false, subprotocol},
    Check{"handshake.unasked", "RFC 6455 4.1", "it answers no extension or subprotocol that nobody asked for",
          "browsers fail the connection", kNothing, false, unasked},
    Check{"handshake.unknown_extension", "RFC 6455 9.1", "it declines an extension that nobody knows",
          "client and server would read the same frames differently", kHandshake, false, unknown_extension},
};

}  // namespace

std::span<const Check> handshake_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
