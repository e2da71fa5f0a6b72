// Any bytes as text. Both validators, whole and at every cut, agree with a decoder that does what RFC 3629
// says and nothing clever: the streaming one fails at the very byte after which nothing can be valid any
// more. So does what reads a close frame's reason, and what shortens one cuts no character.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/utf8.hpp"
#include "websocket/close_payload.hpp"
#include "websocket/utf8.hpp"

namespace {

using namespace wsproxy;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

enum class Kind : std::uint8_t { valid, unfinished, invalid };

struct Read {
  Kind kind;
  std::size_t size;  // of the character
};

/// The numbers that begin with `known` bits of a sequence, as a range, hold one that the form may carry.
bool has_code_point(std::uint32_t first, std::uint32_t last, std::uint32_t least) {
  for (const auto& [low, high] :
       {std::pair{least, 0xD7FFU}, std::pair{std::max(least, 0xE000U), 0x10FFFFU}}) {
    if (low <= high && first <= high && last >= low) return true;
  }
  return false;
}

/// RFC 3629 section 3, at the front of a text that is not empty.
Read read_character(std::string_view text) {
  const auto octet = [text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  if (octet(0) < 0x80) return {Kind::valid, 1};
  std::size_t size = 0;
  std::uint32_t bits = 0;
  if (octet(0) >> 5U == 6) size = 2, bits = octet(0) & 0x1FU;
  if (octet(0) >> 4U == 14) size = 3, bits = octet(0) & 0x0FU;
  if (octet(0) >> 3U == 30) size = 4, bits = octet(0) & 0x07U;
  if (size == 0) return {Kind::invalid, 0};
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  for (std::size_t have = 1;; ++have) {
    const auto open = static_cast<std::uint32_t>(6 * (size - have));
    const std::uint32_t first = bits << open;
    if (!has_code_point(first, first | ((1U << open) - 1), kLeast[size])) return {Kind::invalid, 0};
    if (have == size) return {Kind::valid, size};
    if (have == text.size()) return {Kind::unfinished, 0};
    if (octet(have) >> 6U != 2) return {Kind::invalid, 0};
    bits = bits << 6U | (octet(have) & 0x3FU);
  }
}

/// What is true of each beginning of the text, the empty one first.
std::vector<Kind> judge_beginnings(std::string_view text) {
  std::vector<Kind> kinds{Kind::valid};
  std::size_t character = 0;
  for (std::size_t end = 1; end <= text.size(); ++end) {
    if (kinds.back() == Kind::invalid) {
      kinds.push_back(Kind::invalid);
      continue;
    }
    const Read read = read_character(text.substr(character, end - character));
    if (read.kind == Kind::valid) character = end;
    kinds.push_back(read.kind);
  }
  return kinds;
}

void check_pieces(base::Bytes text, std::size_t cut, const std::vector<Kind>& kinds) {
  websocket::Utf8Check check;
  for (const auto& [piece, end] :
       {std::pair{text.first(cut), cut}, std::pair{text.subspan(cut), text.size()}}) {
    require(check.write(piece) == (kinds[end] != Kind::invalid), "a cut does not matter");
  }
  require(kinds.back() == Kind::invalid || check.may_end() == (kinds.back() == Kind::valid),
          "a text may end behind a character only");
  check.reset();
  require(check.may_end() && check.write(base::as_bytes("a")), "reset() forgets");
}

void check_close(std::string_view text, bool is_valid) {
  std::string payload = "\x03\xe8" + std::string{text.substr(0, websocket::kMaxCloseReason)};
  websocket::ClosePayload close;
  const auto fault = websocket::parse_close_payload(base::as_bytes(payload), close);
  if (text.size() <= websocket::kMaxCloseReason) {
    require((fault == websocket::Fault::none) == is_valid, "a reason is UTF-8");
    require(!is_valid || close.reason == text, "a reason is read whole");
  }
  if (!is_valid) return;
  base::ByteQueue frame;
  websocket::append_close_frame({}, 1000, text, frame);
  require(frame.size() <= 127, "a close frame is short");
  const std::string_view kept = base::as_text(frame.view()).substr(4);
  require(text.starts_with(kept) && judge_beginnings(kept).back() == Kind::valid,
          "a reason is cut behind a character");
  require(kept.size() == text.size() || kept.size() + 3 >= websocket::kMaxCloseReason,
          "no more is cut than must be");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 300;  // every cut is tried
  const std::string_view text{reinterpret_cast<const char*>(data), std::min(size, kMost)};
  const std::vector<Kind> kinds = judge_beginnings(text);
  const bool is_valid = kinds.back() == Kind::valid;
  require(websocket::is_valid_utf8(base::as_bytes(text)) == is_valid, "whole, streaming");
  require(base::is_utf8(text) == is_valid, "whole, at hand");
  for (std::size_t cut = 0; cut <= text.size(); ++cut) check_pieces(base::as_bytes(text), cut, kinds);

  websocket::Utf8Check check;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool goes_on = check.write(base::as_bytes(text.substr(i, 1)));
    require(goes_on == (kinds[i + 1] != Kind::invalid), "byte by byte it fails where it must");
    require(!goes_on || check.may_end() == (kinds[i + 1] == Kind::valid), "and may end where it may");
  }
  check_close(text, is_valid);
  return 0;
}
