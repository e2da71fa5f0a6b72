#include <array>

#include "doctor/checks.hpp"
#include "doctor/client_deflate.hpp"

namespace wsproxy::doctor {
namespace {

using End = Conversation::End;

constexpr std::string_view kText =
    "{\"doctor\": \"a text that says it again and again\", \"again\": \"a text that says it again and "
    "again\"}";

std::string compressed_frame(std::string_view message, bool fin = true) {
  return frame_bytes({.payload = message, .fin = fin, .rsv = kRsv1});
}

/// Sends frames on a connection with compression, and wants the texts back, or a pong at least.
Finding must_come_through(Subject& subject, const std::string& frames,
                          std::initializer_list<std::string_view> texts) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(kUsualOffer)) return no_handshake(conversation);
  conversation.send(frames);
  return must_be_echoed(subject, conversation, texts);
}

Finding message(Subject& subject) {
  ClientDeflate deflate{subject.agreed.client_window_bits, false};
  return must_come_through(subject, compressed_frame(deflate.compress(kText)), {kText});
}

/// Of what was agreed on the connection itself, which may differ from the one before.
Finding takeover(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(kUsualOffer)) return no_handshake(conversation);
  const Agreed& agreed = conversation.agreed();
  ClientDeflate deflate{agreed.client_window_bits, !agreed.client_no_context_takeover};
  for (int i = 0; i < 3; ++i) conversation.send(compressed_frame(deflate.compress(kText)));
  return must_be_echoed(subject, conversation, {kText, kText, kText});
}

Finding window(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(kUsualOffer)) return no_handshake(conversation);
  const Agreed& agreed = conversation.agreed();
  if (agreed.client_no_context_takeover) return skipped("client_no_context_takeover was agreed");
  std::string text;
  for (unsigned i = 0; text.size() < std::size_t{1} << agreed.client_window_bits; ++i) {
    text += std::to_string(i * 7919U) + ",";
  }
  text.resize(std::size_t{1} << agreed.client_window_bits);
  conversation.send(compressed_frame(stored_message(text, 65535)));
  conversation.send(compressed_frame(far_reference_message(agreed.client_window_bits)));
  const std::string again = text.substr(0, kFarReferenceSize);
  return must_be_echoed(subject, conversation, {text, again});
}

Finding plain(Subject& subject) {
  return must_come_through(subject, frame_bytes({.payload = kText}), {kText});
}

Finding empty(Subject& subject) {
  const std::string nothing(1, '\0');
  return must_come_through(subject,
                           compressed_frame(nothing) + frame_bytes({}) + frame_bytes({.payload = "more"}),
                           {"", "", "more"});
}

Finding final_block(Subject& subject) {
  ClientDeflate deflate{subject.agreed.client_window_bits, false};
  const std::string alone = final_block_message(kText);
  // And one in the middle of a message, behind which another block goes on.
  const std::string within = alone.substr(0, alone.size() - 1) + deflate.compress("more");
  const std::string both = std::string{kText} + "more";
  return must_come_through(
      subject, compressed_frame(alone) + compressed_frame(within) + frame_bytes({.payload = "plain"}),
      {kText, both, "plain"});
}

Finding stored(Subject& subject) {
  return must_come_through(subject, compressed_frame(stored_message(kText, 40)), {kText});
}

Finding fragments(Subject& subject) {
  Conversation conversation{subject.target, subject.breaches};
  if (!conversation.open(kUsualOffer)) return no_handshake(conversation);
  ClientDeflate deflate{conversation.agreed().client_window_bits, false};
  const std::string whole = deflate.compress(kText);
  conversation.send(compressed_frame(std::string_view{whole}.substr(0, 1), false));  // inflates to nothing
  conversation.send(
      RawFrame{.opcode = kContinuation, .payload = std::string_view{whole}.substr(1, 20), .fin = false});
  const End end = conversation.ping();
  if (end != End::found) return failed("a ping inside of it: " + conversation.told(end));
  conversation.send(RawFrame{.opcode = kContinuation, .fin = false});
  conversation.send(RawFrame{.opcode = kContinuation, .payload = std::string_view{whole}.substr(21)});
  return must_be_echoed(subject, conversation, {kText});
}

Finding rsv1_continuation(Subject& subject) {
  ClientDeflate deflate{subject.agreed.client_window_bits, false};
  const std::string whole = deflate.compress(kText);
  const std::string rest = whole.substr(10);
  return must_be_refused(subject, kUsualOffer,
                         compressed_frame(whole.substr(0, 10), false) +
                             frame_bytes({.opcode = kContinuation, .payload = rest, .rsv = kRsv1}),
                         {1002});
}

Finding rsv1_control(Subject& subject) {
  return must_be_refused(subject, kUsualOffer, frame_bytes({.opcode = kPing, .payload = "x", .rsv = kRsv1}),
                         {1002});
}

Finding corrupt(Subject& subject) {
  Finding finding;
  finding.add("a block of the reserved type",
              must_be_refused(subject, kUsualOffer, compressed_frame("\x06 no deflate"), {1007, 1002}));
  std::string wrong_length = stored_message("stored", 6);
  wrong_length[3] = 'x';
  finding.add("a stored block whose lengths contradict each other",
              must_be_refused(subject, kUsualOffer, compressed_frame(wrong_length), {1007, 1002}));
  return finding;
}

Finding bad_utf8(Subject& subject) {
  ClientDeflate deflate{subject.agreed.client_window_bits, false};
  return must_be_refused(subject, kUsualOffer, compressed_frame(deflate.compress("caf\xff")), {1007});
}

constexpr unsigned kNeeds = kHandshake | kMessages | kDeflate;
constexpr std::string_view kLegal =
    "clients whose library compresses like this are cut, or their messages come out wrong";
constexpr std::string_view kLoose =
    "a broken client goes unnoticed, and its messages come out as something else";

constexpr std::array kChecks = {
    Check{"deflate.message", "RFC 7692 7.2.2", "a compressed message is taken", kLegal, kNeeds, false,
          message},
    Check{"deflate.takeover", "RFC 7692 7.1.1", "messages may refer to earlier ones as was agreed",
          "the second message of every client ends the connection", kNeeds, false, takeover},
    Check{"deflate.window", "RFC 7692 7.1.2", "a message may refer back as far as the agreed window",
          "long sessions break, seemingly at random", kNeeds, false, window},
    Check{"deflate.plain", "RFC 7692 6", "a message that is not compressed is taken among others",
          "clients that leave small messages as they are get cut", kNeeds, false, plain},
    Check{"deflate.empty", "RFC 7692 7.2.3.6", "an empty message is taken, compressed or not", kLegal, kNeeds,
          false, empty},
    Check{"deflate.final_block", "RFC 7692 7.2.3.4", "blocks with BFINAL set are taken", kLegal, kNeeds,
          false, final_block},
    Check{"deflate.stored", "RFC 7692 7.2.3.3", "stored blocks are taken", kLegal, kNeeds, false, stored},
    Check{"deflate.fragments", "RFC 7692 6.2", "a compressed message may come in fragments", kLegal, kNeeds,
          false, fragments},
    Check{"deflate.rsv1_continuation", "RFC 7692 6.1", "RSV1 on a continuation is refused", kLoose,
          kHandshake | kDeflate, false, rsv1_continuation},
    Check{"deflate.rsv1_control", "RFC 7692 6.1", "RSV1 on a control frame is refused", kLoose,
          kHandshake | kDeflate, false, rsv1_control},
    Check{"deflate.corrupt", "RFC 7692 7.2.2", "what does not inflate is refused", kLoose,
          kHandshake | kDeflate, false, corrupt},
    Check{"deflate.bad_utf8", "RFC 6455 8.1", "compressed text that is not UTF-8 is refused with 1007",
          "one client's broken text goes on to others, whose browsers then fail their connection",
          kHandshake | kDeflate, false, bad_utf8},
};

}  // namespace

std::span<const Check> deflate_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
