#include "deflate/block_header.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace wsproxy::deflate {
namespace {

constexpr std::uint32_t kCodeLengthBits = 7;  // the longest code of a code length
constexpr std::uint32_t kCodeBits = 15;       // and of anything else
constexpr std::size_t kEndOfBlock = 256;

class BitReader {
 public:
  BitReader(base::Bytes bytes, std::size_t at) : bytes_(bytes), at_(at) {}
  /// The next bits, at most 16, zero where there are no more.
  std::uint32_t peek(std::uint32_t count) const {
    const base::Bytes rest = bytes_.subspan(std::min(at_ / 8, bytes_.size()));
    std::array<std::uint8_t, 4> next{};
    if (rest.size() >= next.size()) {
      std::memcpy(next.data(), rest.data(), next.size());  // of a known size, so that it is one load
    } else if (!rest.empty()) {
      std::memcpy(next.data(), rest.data(), rest.size());
    }
    const std::uint32_t bits = next[0] | std::uint32_t{next[1]} << 8 | std::uint32_t{next[2]} << 16;
    return bits >> (at_ % 8) & ((1u << count) - 1);
  }
  void skip(std::uint32_t count) { at_ += count; }
  std::uint32_t take(std::uint32_t count) {
    const std::uint32_t bits = peek(count);
    skip(count);
    return bits;
  }
  bool is_past_end() const { return at_ > bytes_.size() * 8; }
  /// Bytes of which nothing has been taken.
  std::size_t whole_bytes_left() const { return bytes_.size() - (at_ + 7) / 8; }

 private:
  base::Bytes bytes_;
  std::size_t at_;
};

/// Whether every sequence of bits begins with one of the codes, and none with two.
bool is_complete(std::span<const std::uint8_t> lengths, std::uint32_t longest) {
  std::uint32_t taken = 0;
  for (const std::uint8_t length : lengths) {
    if (length != 0) taken += 1u << (longest - length);
  }
  return taken == 1u << longest;
}

/// Decodes code lengths by looking up as many bits as the longest code has.
class CodeLengthCode {
 public:
  static constexpr std::size_t kSymbols = 19;
  struct Entry {
    std::uint8_t symbol;
    std::uint8_t length;
  };

  /// The lengths make a complete code.
  explicit CodeLengthCode(const std::array<std::uint8_t, kSymbols>& lengths) {
    std::uint32_t code = 0;
    for (std::uint8_t length = 1; length <= kCodeLengthBits; ++length) {
      for (std::uint8_t symbol = 0; symbol < kSymbols; ++symbol) {
        if (lengths[symbol] == length) fill(code++, {symbol, length});
      }
      code <<= 1;
    }
  }
  Entry at(std::uint32_t bits) const { return entries_[bits]; }

 private:
  void fill(std::uint32_t code, Entry entry) {
    std::uint32_t reversed = 0;  // codes come with their first bit lowest
    for (std::uint32_t i = 0; i < entry.length; ++i) reversed |= (code >> i & 1u) << (entry.length - 1u - i);
    for (; reversed < entries_.size(); reversed += 1u << entry.length) entries_[reversed] = entry;
  }
  std::array<Entry, 1u << kCodeLengthBits> entries_;
};

/// The two codes of a dynamic block (RFC 1951 section 3.2.7).
bool has_complete_codes(BitReader& reader) {
  const std::size_t literals = 257 + reader.take(5);
  const std::size_t distances = 1 + reader.take(5);
  const std::uint32_t code_lengths = 4 + reader.take(4);
  if (literals > 286 || distances > 30) return false;

  static constexpr std::array<std::uint8_t, CodeLengthCode::kSymbols> kOrder{
      16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  std::array<std::uint8_t, CodeLengthCode::kSymbols> of_lengths{};
  for (std::uint32_t i = 0; i < code_lengths; ++i)
    of_lengths[kOrder[i]] = static_cast<std::uint8_t>(reader.take(3));
  if (!is_complete(of_lengths, kCodeLengthBits)) return false;
  const CodeLengthCode code{of_lengths};

  std::array<std::uint8_t, 286 + 30> lengths{};
  const std::size_t count = literals + distances;
  for (std::size_t have = 0; have < count;) {
    const CodeLengthCode::Entry entry = code.at(reader.peek(kCodeLengthBits));
    reader.skip(entry.length);
    if (entry.symbol < 16) {
      lengths[have++] = entry.symbol;
      continue;
    }
    if (entry.symbol == 16 && have == 0) return false;
    const std::uint8_t repeated = entry.symbol == 16 ? lengths[have - 1] : 0;
    std::size_t times = entry.symbol == 16   ? 3 + reader.take(2)
                        : entry.symbol == 17 ? 3 + reader.take(3)
                                             : 11 + reader.take(7);
    if (times > count - have) return false;
    while (times-- > 0) lengths[have++] = repeated;
  }
  const std::span<const std::uint8_t> all{lengths};
  return !reader.is_past_end() && lengths[kEndOfBlock] != 0 && is_complete(all.first(literals), kCodeBits) &&
         is_complete(all.subspan(literals, distances), kCodeBits);
}

}  // namespace

BlockKind look_at_block(base::Bytes packed, std::size_t bit) {
  BitReader reader{packed, bit};
  const bool is_final = reader.take(1) != 0;
  const std::uint32_t type = reader.take(2);
  if (is_final || reader.is_past_end()) return BlockKind::surprising;
  switch (type) {
    case 0:
      return reader.whole_bytes_left() == 0 ? BlockKind::tail : BlockKind::ordinary;
    case 1:
      return BlockKind::ordinary;
    case 2:
      return has_complete_codes(reader) ? BlockKind::ordinary : BlockKind::surprising;
    default:
      return BlockKind::surprising;
  }
}

}  // namespace wsproxy::deflate
