#pragma once

#include <string>

#include "base/bytes.hpp"
#include "http/request_head.hpp"

namespace wsproxy::http {

/// Gathers one head up to its blank line, each byte looked at once. Judges on the way what is wrong
/// wherever it stands (RFC 9112 section 2.2, RFC 9110 section 5.5): LF without CR, CR without LF, NUL
/// and other control characters. So `complete` text has only whole lines, each ended by CRLF.
class HeadCollector {
 public:
  /// `max_bytes` counts everything that is fed, over restart() too.
  explicit HeadCollector(std::size_t max_bytes) : bytes_left_(max_bytes) {}

  /// Adds to `used` what belongs to the head.
  HeadStatus feed(base::Bytes input, std::size_t& used);
  /// The head with its blank line, without empty lines before it; valid once complete.
  const std::string& text() const { return text_; }
  /// A literal; valid after too_large or malformed.
  std::string_view problem() const { return problem_; }
  /// Makes ready for another head after a complete one.
  void restart();

 private:
  /// For what is not simply part of a line. True when `c` ends the head or breaks a rule: status_ then says
  /// which.
  bool ended_by(char c);
  bool fail(HeadStatus status, std::string_view problem);
  bool end_line();

  std::size_t bytes_left_;
  std::string text_;
  std::string_view problem_;
  HeadStatus status_ = HeadStatus::need_more;
  bool after_cr_ = false;
  bool line_is_empty_ = true;
  bool in_head_ = false;  // a line that is not empty has ended
};

}  // namespace wsproxy::http
