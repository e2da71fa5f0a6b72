#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.hpp"

namespace wsproxy::doctor {

/// Inflates what a server compressed, with exactly the window that was agreed and not a byte more, so that
/// a server which refers back too far is found out (RFC 7692 sections 7.1.2.1 and 7.2.2). Slow: the output
/// is made byte by byte, since zlib holds references inside of one output buffer against no window.
class ExactInflater {
 public:
  /// `window_bits` is 8..15. Without takeover each message begins with an empty window.
  ExactInflater(std::uint8_t window_bits, bool takeover);
  ~ExactInflater();
  ExactInflater(ExactInflater&&) noexcept;
  ExactInflater& operator=(ExactInflater&&) noexcept;

  enum class Result : unsigned char { good, corrupt, too_big };

  /// One whole message without its tail 00 00 ff ff; its text is appended to `text`, `most` bytes at most.
  Result inflate(base::Bytes message, std::string& text, std::size_t most);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  bool takeover_;
};

}  // namespace wsproxy::doctor
