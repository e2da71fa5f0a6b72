#include "doctor/examination.hpp"

#include <algorithm>
#include <chrono>

#include "doctor/checks.hpp"

namespace wsproxy::doctor {
namespace {

using End = Conversation::End;

constexpr std::string_view kGreeting = "wsproxy doctor";
/// An echo that takes longer is taken for none.
constexpr Wire::Patience kEchoTime{2000};

void look_for_echo(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open()) return;
  conversation.send(RawFrame{.payload = kGreeting});
  const auto is_echo = [](const ServerEvent& event) {
    return event.opcode == websocket::Opcode::text && event.payload == kGreeting;
  };
  const End end = conversation.wait(is_echo, std::min(subject.target.patience, kEchoTime));
  subject.echoes = end == End::found;
  subject.takes_messages = end == End::found || conversation.ping() == End::found;
}

void look_for_compression(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(kUsualOffer)) return;
  subject.agreed = conversation.agreed();
  subject.extensions = conversation.head().fields.joined("Sec-WebSocket-Extensions");
}

/// Why a check cannot say anything; empty when it can.
std::string what_is_missing(const Check& check, const Subject& subject) {
  if ((check.needs & kHandshake) != 0 && !subject.has_handshake) return "there is no handshake";
  if ((check.needs & kDeflate) != 0 && !subject.agreed.compression) return "permessage-deflate is not agreed";
  if ((check.needs & kMessages) != 0 && !subject.takes_messages)
    return "it does not bear a message it does not know";
  if ((check.needs & kEcho) != 0 && !subject.echoes) return "it does not echo messages";
  return {};
}

bool is_chosen(const Check& check, const Subject& subject, const Choice& choice) {
  if ((check.needs & kSecure) != 0 && !subject.target.secure) return false;
  if (choice.only.empty()) return true;
  return std::any_of(choice.only.begin(), choice.only.end(),
                     [&](const std::string& id) { return check.id == id || check.group() == id; });
}

void carry_out(Result& result, Subject& subject, bool deep) {
  const auto begun = std::chrono::steady_clock::now();
  result.is_left_out = result.check->is_deep && !deep;
  const std::string missing =
      result.is_left_out ? "only with --deep" : what_is_missing(*result.check, subject);
  result.finding = missing.empty() ? result.check->run(subject) : skipped(missing);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
  result.milliseconds = took.count();
}

}  // namespace

const std::vector<Check>& checks() {
  static const std::vector<Check> all = [] {
    std::vector<Check> list;
    for (const auto group :
         {tls_checks(), handshake_checks(), request_checks(), framing_checks(), broken_frame_checks(),
          closing_checks(), deflate_answer_checks(), deflate_checks(), limit_checks(), deep_checks()}) {
      list.insert(list.end(), group.begin(), group.end());
    }
    return list;
  }();
  return all;
}

bool is_known(std::string_view id) {
  return std::any_of(checks().begin(), checks().end(),
                     [&](const Check& check) { return check.id == id || check.group() == id; });
}

bool meet(Subject& subject) {
  {
    Wire wire;
    if (!wire.open(subject.target, {})) {
      subject.problem = wire.problem();
      return false;
    }
  }
  Conversation conversation{subject.target, subject.breaches};
  subject.has_handshake = conversation.open();
  if (!subject.has_handshake) {
    subject.problem = conversation.problem();
    return conversation.is_http();
  }
  look_for_echo(subject);
  look_for_compression(subject);
  return true;
}

std::vector<Result> examine(Subject& subject, const Choice& choice) {
  std::vector<Result> results;
  for (const Check& check : checks()) {
    if (is_chosen(check, subject, choice)) results.push_back({.check = &check});
  }
  for (const bool after_all : {false, true}) {
    for (Result& result : results) {
      if (result.check->is_about_all == after_all) carry_out(result, subject, choice.deep);
    }
  }
  return results;
}

}  // namespace wsproxy::doctor
