#include <array>

#include "doctor/checks.hpp"
#include "doctor/offers.hpp"

namespace wsproxy::doctor {
namespace {

Finding offers(Subject& subject) {
  Finding finding;
  std::size_t accepted = 0;
  for (const Offer& offer : offers_to_try()) {
    UpgradeRequest request{subject.target};
    request.add("Sec-WebSocket-Extensions", std::string{offer.text});
    Conversation conversation{subject.target, subject.breaches};
    const auto answer = conversation.ask(request);
    const std::string what = "\"" + std::string{offer.text} + "\"";
    // Declined is what it should be, but a client that offers this cannot complain of a 400 (RFC 6455 9.1).
    if (!offer.is_valid && answer == Conversation::Answer::refused && conversation.head().status < 500)
      continue;
    if (answer != Conversation::Answer::switched) {
      finding.add(what, failed(conversation.problem()));
    } else if (conversation.agreed().compression) {
      ++accepted;
    }
  }
  if (finding.status == Status::pass)
    finding.detail = std::to_string(accepted) + " of " + std::to_string(offers_to_try().size()) + " accepted";
  return finding;
}

/// Text of words in an order that does not repeat soon, but whose parts come again further back than the
/// smallest windows reach: a compressor with a larger one refers to them.
std::string long_text(unsigned seed) {
  std::string text;
  for (unsigned i = 0; text.size() < 6000; ++i) {
    text += "word" + std::to_string((i * 7919U + seed) % 97U * 1013U) + " ";
  }
  return text;
}

/// Sends texts and reads what comes back, which the reader holds against exactly what was agreed.
Finding answers_inflate(Subject& subject, std::string_view offer, std::initializer_list<std::string> texts) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(offer)) return no_handshake(conversation);
  if (!conversation.agreed().compression)
    return skipped("the offer \"" + std::string{offer} + "\" was declined");
  bool any_compressed = false;
  for (const auto& text : texts) {
    conversation.send(RawFrame{.payload = text});
    const std::string_view sent = text;
    const auto end = conversation.wait_for_echoes({&sent, 1});
    if (end != Conversation::End::found)
      return failed("an answer that is what was sent: " + conversation.told(end));
    any_compressed = any_compressed || conversation.messages().back().compressed;
  }
  if (!any_compressed) return skipped("none of the answers came compressed");
  return passed();
}

Finding server_window(Subject& subject) {
  Finding finding, last_skipped;
  bool any_told = false;
  for (const std::string_view offer :
       {"permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=10"}) {
    Finding one = answers_inflate(subject, offer, {long_text(1), long_text(2), long_text(1)});
    if (one.status == Status::skip) {
      last_skipped = std::move(one);
      continue;
    }
    any_told = true;
    finding.add("\"" + std::string{offer} + "\"", one);
  }
  return any_told ? finding : last_skipped;
}

Finding server_takeover(Subject& subject) {
  return answers_inflate(subject, "permessage-deflate; server_no_context_takeover",
                         {long_text(1), long_text(1), long_text(1)});
}

constexpr unsigned kNeeds = kHandshake | kMessages | kDeflate | kEcho;

constexpr std::array kChecks = {
    Check{"deflate.offers", "RFC 7692 7.1", "every offer gets an answer that is legal for it",
          "browsers fail the connection, or each side compresses for another window", kHandshake, false,
          offers},
    Check{"deflate.server_window", "RFC 7692 7.1.2.1", "answers keep to the window that was asked for",
          "small devices that asked for a small window cannot read the answers", kNeeds, false,
          server_window},
    Check{"deflate.server_takeover", "RFC 7692 7.1.1.1",
          "answers refer to no earlier message when asked not to",
          "clients that keep no context cannot read the second answer", kNeeds, false, server_takeover},
};

}  // namespace

std::span<const Check> deflate_answer_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
