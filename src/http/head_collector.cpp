#include "http/head_collector.hpp"

#include <algorithm>

#include "http/line.hpp"

namespace wsproxy::http {

HeadStatus HeadCollector::feed(base::Bytes input, std::size_t& used) {
  if (status_ != HeadStatus::need_more) return status_;
  const std::string_view text = base::as_text(input.first(std::min(input.size(), bytes_left_)));
  std::size_t seen = 0;
  bool ended = false;
  while (!ended && seen < text.size()) {
    const std::size_t plain = after_cr_ ? 0 : line_length(text.substr(seen));
    line_is_empty_ = line_is_empty_ && plain == 0;
    seen += plain;
    if (seen < text.size()) ended = ended_by(text[seen++]);
  }
  bytes_left_ -= seen;
  used += seen;
  // Empty lines before the first one are of no meaning (RFC 9112 section 2.2).
  const std::size_t from = text_.empty() ? std::min(text.find_first_not_of("\r\n"), seen) : 0;
  text_.append(text.substr(from, seen - from));
  if (!ended && seen < input.size()) fail(HeadStatus::too_large, "the head is over the size limit");
  return status_;
}

void HeadCollector::restart() {
  text_.clear();
  status_ = HeadStatus::need_more;
  in_head_ = false;
}

bool HeadCollector::ended_by(char c) {
  if (c == '\n') return after_cr_ ? end_line() : fail(HeadStatus::malformed, "a line ends with LF alone");
  if (after_cr_) return fail(HeadStatus::malformed, "a CR stands without its LF");
  after_cr_ = c == '\r';
  return after_cr_ ? false : fail(HeadStatus::malformed, "a control character");
}

bool HeadCollector::end_line() {
  after_cr_ = false;
  const bool blank_line = line_is_empty_;
  line_is_empty_ = true;
  if (!blank_line) {
    in_head_ = true;
    return false;
  }
  if (!in_head_) return false;
  status_ = HeadStatus::complete;
  return true;
}

bool HeadCollector::fail(HeadStatus status, std::string_view problem) {
  status_ = status;
  problem_ = problem;
  return true;
}

}  // namespace wsproxy::http
