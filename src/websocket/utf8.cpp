#include "websocket/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace wsproxy::websocket {

namespace {

// An automaton over the well-formed sequences of RFC 3629 section 4. A state is what may come next. The
// row of a byte holds, for each state, the state after that byte; a state's value is the place of its six
// bits in the row, so that one step is one load and one shift.
constexpr std::uint8_t kStateBits = 6;
constexpr std::uint8_t kStateMask = (1U << kStateBits) - 1;

enum State : std::uint8_t {
  kStart = 0 * kStateBits,    // a character, or the end
  kOneMore = 1 * kStateBits,  // 80-BF
  kTwoMore = 2 * kStateBits,  // 80-BF, then one more
  kThreeMore = 3 * kStateBits,
  kAfterE0 = 4 * kStateBits,  // A0-BF: below is overlong
  kAfterEd = 5 * kStateBits,  // 80-9F: above is a surrogate
  kAfterF0 = 6 * kStateBits,  // 90-BF: below is overlong
  kAfterF4 = 7 * kStateBits,  // 80-8F: above is past U+10FFFF
  kInvalid = 8 * kStateBits,
};

constexpr State after(State state, unsigned byte) {
  const auto within = [byte](unsigned first, unsigned last) { return first <= byte && byte <= last; };
  const bool continues = within(0x80, 0xBF);
  switch (state) {
    case kStart:
      if (within(0x00, 0x7F)) return kStart;
      if (within(0xC2, 0xDF)) return kOneMore;
      if (byte == 0xE0) return kAfterE0;
      if (byte == 0xED) return kAfterEd;
      if (within(0xE1, 0xEF)) return kTwoMore;
      if (byte == 0xF0) return kAfterF0;
      if (within(0xF1, 0xF3)) return kThreeMore;
      return byte == 0xF4 ? kAfterF4 : kInvalid;
    case kOneMore:
      return continues ? kStart : kInvalid;
    case kTwoMore:
      return continues ? kOneMore : kInvalid;
    case kThreeMore:
      return continues ? kTwoMore : kInvalid;
    case kAfterE0:
      return within(0xA0, 0xBF) ? kOneMore : kInvalid;
    case kAfterEd:
      return within(0x80, 0x9F) ? kOneMore : kInvalid;
    case kAfterF0:
      return within(0x90, 0xBF) ? kTwoMore : kInvalid;
    case kAfterF4:
      return within(0x80, 0x8F) ? kTwoMore : kInvalid;
    case kInvalid:
      break;
  }
  return kInvalid;
}

constexpr std::array<std::uint64_t, 256> kRows = [] {
  std::array<std::uint64_t, 256> rows{};
  for (unsigned byte = 0; byte < rows.size(); ++byte) {
    for (unsigned state = kStart; state <= kInvalid; state += kStateBits) {
      rows[byte] |= std::uint64_t{after(static_cast<State>(state), byte)} << state;
    }
  }
  return rows;
}();

std::uint64_t load_word(const std::byte* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// How many bytes at the front are ASCII, in whole words.
std::size_t ascii_words(base::Bytes text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  for (; text.size() - at >= 32; at += 32) {
    const std::byte* from = text.data() + at;
    if (((load_word(from) | load_word(from + 8) | load_word(from + 16) | load_word(from + 24)) & kHighBits) !=
        0) {
      break;
    }
  }
  while (text.size() - at >= 8 && (load_word(text.data() + at) & kHighBits) == 0) at += 8;
  return at;
}

}  // namespace

bool Utf8Check::write(base::Bytes text) {
  static_assert(kBoundary == kStart);
  // The automaton runs over so many bytes before the text is tried for ASCII again.
  constexpr std::size_t kStride = 16;

  std::uint64_t state = state_;
  while (!text.empty() && state != kInvalid) {
    if (state == kStart) text = text.subspan(ascii_words(text));
    const std::size_t size = std::min(text.size(), kStride);
    for (std::size_t i = 0; i < size; ++i) {
      state = kRows[std::to_integer<std::size_t>(text[i])] >> (state & kStateMask);
    }
    state &= kStateMask;
    text = text.subspan(size);
  }
  state_ = static_cast<std::uint8_t>(state);
  return state != kInvalid;
}

bool is_valid_utf8(base::Bytes text) {
  Utf8Check check;
  return check.write(text) && check.may_end();
}

}  // namespace wsproxy::websocket
