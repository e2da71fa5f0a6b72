#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace wsproxy::websocket {

/// Checks UTF-8 (RFC 3629) as it streams by, at any split: no overlong forms, no surrogates, nothing
/// above U+10FFFF. Fails at the first byte that can no longer become valid.
class Utf8Check {
 public:
  /// False once the text is invalid, and from then on until reset().
  bool write(base::Bytes text);
  /// Whether the text may end here: no character is left half.
  bool may_end() const { return state_ == kBoundary; }
  void reset() { state_ = kBoundary; }

 private:
  static constexpr std::uint8_t kBoundary = 0;
  std::uint8_t state_ = kBoundary;
};

bool is_valid_utf8(base::Bytes text);

}  // namespace wsproxy::websocket
