#include <array>

#include "doctor/checks.hpp"

namespace wsproxy::doctor {
namespace {

struct Case {
  std::string what;
  std::string bytes;
};

Finding all_refused(Subject& subject, std::initializer_list<Case> cases, std::uint16_t code = 1002) {
  Finding finding;
  for (const auto& one : cases) finding.add(one.what, must_be_refused(subject, {}, one.bytes, {code}));
  return finding;
}

Finding unmasked(Subject& subject) {
  return all_refused(subject,
                     {{"a text frame without a mask", frame_bytes({.payload = "bare", .masked = false})}});
}

Finding reserved_bits(Subject& subject) {
  return all_refused(subject, {{"RSV1 without an extension", frame_bytes({.payload = "x", .rsv = kRsv1})},
                               {"RSV2", frame_bytes({.payload = "x", .rsv = kRsv2})},
                               {"RSV3", frame_bytes({.opcode = kPing, .rsv = kRsv3})}});
}

Finding reserved_opcodes(Subject& subject) {
  return all_refused(subject, {{"opcode 3", frame_bytes({.opcode = 3})},
                               {"opcode 7", frame_bytes({.opcode = 7, .payload = "x"})},
                               {"opcode 11", frame_bytes({.opcode = 11})},
                               {"opcode 15", frame_bytes({.opcode = 15, .payload = "x"})}});
}

Finding control_size(Subject& subject) {
  const std::string payload(126, 'x');
  return all_refused(subject, {{"a ping of 126 bytes", frame_bytes({.opcode = kPing, .payload = payload})}});
}

Finding control_fragmented(Subject& subject) {
  return all_refused(subject,
                     {{"a ping without FIN", frame_bytes({.opcode = kPing, .payload = "x", .fin = false})}});
}

Finding continuation(Subject& subject) {
  return all_refused(subject,
                     {{"a continuation", frame_bytes({.opcode = kContinuation, .payload = "of what?"})}});
}

Finding interleaved(Subject& subject) {
  return all_refused(subject, {{"a text inside a text", frame_bytes({.payload = "one", .fin = false}) +
                                                            frame_bytes({.payload = "two"})}});
}

Finding top_bit(Subject& subject) {
  return all_refused(subject, {{"a length of 2^63", header_bytes(std::uint64_t{1} << 63)}});
}

/// That it goes on harms nobody but those who look at the same bytes with other eyes.
Finding minimal_length(Subject& subject) {
  Finding finding = all_refused(
      subject, {{"5 bytes with a length of 16 bits", frame_bytes({.payload = "hello", .length_form = 16})}});
  if (finding.status == Status::fail) finding.status = Status::warn;
  return finding;
}

Finding bad_utf8(Subject& subject) {
  return all_refused(
      subject,
      {{"a byte that is in no UTF-8", frame_bytes({.payload = "caf\xff"})},
       {"an overlong form", frame_bytes({.payload = "\xc0\xaf"})},
       {"a surrogate", frame_bytes({.payload = "\xed\xa0\x80"})},
       {"a text that ends inside a character", frame_bytes({.payload = "5 \xe2\x82"})},
       {"a bad byte in a continuation", frame_bytes({.payload = "ok", .fin = false}) +
                                            frame_bytes({.opcode = kContinuation, .payload = "\xfe"})}},
      1007);
}

constexpr std::string_view kAnything =
    "it takes what no client sends for something: attackers and proxies may read it differently";

constexpr std::array kChecks = {
    Check{"framing.unmasked", "RFC 6455 5.1", "a frame without a mask is refused",
          "scripts in browsers can make proxies in between see bytes of their choice", kHandshake, false,
          unmasked},
    Check{"framing.reserved_bits", "RFC 6455 5.2", "reserved bits are refused", kAnything, kHandshake, false,
          reserved_bits},
    Check{"framing.reserved_opcodes", "RFC 6455 5.2", "reserved opcodes are refused", kAnything, kHandshake,
          false, reserved_opcodes},
    Check{"framing.control_size", "RFC 6455 5.5", "a control frame over 125 bytes is refused", kAnything,
          kHandshake, false, control_size},
    Check{"framing.control_fragmented", "RFC 6455 5.5", "a control frame in fragments is refused", kAnything,
          kHandshake, false, control_fragmented},
    Check{"framing.continuation", "RFC 6455 5.4", "a continuation of nothing is refused", kAnything,
          kHandshake, false, continuation},
    Check{"framing.interleaved", "RFC 6455 5.4", "a message inside a message is refused",
          "messages get mixed up", kHandshake, false, interleaved},
    Check{"framing.top_bit", "RFC 6455 5.2", "a length with its top bit set is refused",
          "a length that turns negative is how memory gets overwritten", kHandshake, false, top_bit},
    Check{"framing.minimal_length", "RFC 6455 5.2", "a length in a longer form than needed is refused",
          kAnything, kHandshake, false, minimal_length},
    Check{"framing.bad_utf8", "RFC 6455 8.1", "text that is not UTF-8 is refused with 1007",
          "one client's broken text goes on to others, whose browsers then fail their connection", kHandshake,
          false, bad_utf8},
};

}  // namespace

std::span<const Check> broken_frame_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
