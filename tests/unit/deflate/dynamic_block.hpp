#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace wsproxy::deflate::test {

/// Writes one block with codes of its own, of any lengths at all (RFC 1951 section 3.2.7), for what no
/// compressor emits. The code lengths themselves have codes of 4 or 5 bits, without runs.
class DynamicBlock {
 public:
  using Lengths = std::vector<std::uint8_t>;

  /// 257 to 286 lengths for literals, end and lengths, 1 to 30 for distances, each 0 to 15.
  DynamicBlock(const Lengths& literals, const Lengths& distances)
      : DynamicBlock(literals, distances, kFlat) {}
  /// With these lengths, each 0 to 7, for the codes of the 19 code lengths in place of a complete set.
  DynamicBlock(const Lengths& literals, const Lengths& distances, const Lengths& of_lengths)
      : literals_(codes(literals)), distances_(codes(distances)) {
    bits(0, 1);
    bits(2, 2);
    bits(static_cast<std::uint32_t>(literals.size() - 257), 5);
    bits(static_cast<std::uint32_t>(distances.size() - 1), 5);
    bits(15, 4);
    for (const int symbol : {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15})
      bits(of_lengths[static_cast<std::size_t>(symbol)], 3);
    const auto length_codes = codes(of_lengths);
    for (const auto* lengths : {&literals, &distances})
      for (const std::uint8_t length : *lengths) code(length_codes[length]);
  }

  /// A literal, the end (256) or a length (from 257), without extra bits.
  DynamicBlock& symbol(std::size_t symbol) {
    code(literals_[symbol]);
    return *this;
  }
  DynamicBlock& distance(std::size_t symbol) {
    code(distances_[symbol]);
    return *this;
  }
  DynamicBlock& bits(std::uint32_t value, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) bit((value >> i) & 1u);
    return *this;
  }
  /// With the header of an empty stored block, as in a sync flush.
  std::string done() { return bits(0, 3).out_; }

  /// Complete: 13 of 4 bits, 6 of 5.
  static inline const Lengths kFlat{4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5};

 private:
  struct Code {
    std::uint32_t value = 0;
    std::uint32_t length = 0;
  };

  static std::vector<Code> codes(const Lengths& lengths) {
    std::vector<Code> all(lengths.size());
    std::uint32_t next = 0;
    for (std::uint32_t length = 1; length <= 15; ++length, next <<= 1) {
      for (std::size_t i = 0; i < lengths.size(); ++i)
        if (lengths[i] == length) all[i] = {next++, length};
    }
    return all;
  }
  void code(Code code) {
    for (std::uint32_t i = code.length; i-- > 0;) bit((code.value >> i) & 1u);
  }
  void bit(std::uint32_t value) {
    if (used_ == 0) out_.push_back('\0');
    out_.back() = static_cast<char>(static_cast<unsigned char>(out_.back()) | (value << used_));
    used_ = (used_ + 1) % 8;
  }

  std::vector<Code> literals_;
  std::vector<Code> distances_;
  std::string out_;
  std::uint32_t used_ = 0;
};

}  // namespace wsproxy::deflate::test
