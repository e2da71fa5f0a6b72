#include "http/body_framing.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace wsproxy::http {
namespace {

/// Nothing of these lines is kept; the limit ends what never ends.
constexpr std::uint16_t kMaxLine = 8192;

bool is_line_char(char c) {
  const auto code = static_cast<unsigned char>(c);
  return c == '\t' || (code >= 0x20 && code != 0x7f);
}

bool has_no_body(unsigned status) {
  return status < 200 || status == 204 || status == 304;
}

/// Only a last coding of chunked tells where the body ends.
bool ends_with_chunked(std::string_view codings) {
  const std::size_t comma = codings.rfind(',');
  const std::string_view last = comma == std::string_view::npos ? codings : codings.substr(comma + 1);
  return base::iequals(base::trim(last), "chunked");
}

}  // namespace

BodyFraming::BodyFraming(const ResponseHead& head) {
  if (has_no_body(head.status)) return;
  state_ = State::until_close;
  if (head.fields.count("transfer-encoding") > 0) {
    if (ends_with_chunked(head.fields.first("transfer-encoding"))) state_ = State::size_first;
  } else if (const auto length = base::parse_decimal(head.fields.first("content-length"))) {
    left_ = *length;
    state_ = left_ == 0 ? State::done : State::fixed;
  }
}

BodyFraming::Status BodyFraming::feed(base::Bytes input, std::size_t& used) {
  std::string_view text = base::as_text(input);
  while (!text.empty() && status() == Status::more) {
    const bool is_data = state_ == State::until_close || state_ == State::fixed || state_ == State::data;
    const std::size_t taken = is_data ? take_data(text.size()) : 1;
    if (!is_data) state_ = after(text.front());
    text.remove_prefix(taken);
    used += taken;
  }
  return status();
}

BodyFraming::Status BodyFraming::status() const {
  if (state_ == State::done) return Status::complete;
  return state_ == State::broken ? Status::malformed : Status::more;
}

std::size_t BodyFraming::take_data(std::size_t size) {
  if (state_ == State::until_close) return size;
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
  left_ -= taken;
  if (left_ == 0) state_ = state_ == State::fixed ? State::done : State::data_cr;
  return taken;
}

BodyFraming::State BodyFraming::after(char c) {
  switch (state_) {
    case State::size_first:
      left_ = 0;
      return base::hex_value(c) ? after_size_char(c) : State::broken;
    case State::size:
      return after_size_char(c);
    case State::extension:
    case State::trailer:
      if (c == '\r') return state_ == State::trailer ? State::trailer_lf : State::size_lf;
      return is_line_char(c) && ++line_bytes_ < kMaxLine ? state_ : State::broken;
    case State::size_lf:
      if (c != '\n') return State::broken;
      return left_ == 0 ? State::trailer_first : State::data;
    case State::data_cr:
      return c == '\r' ? State::data_lf : State::broken;
    case State::data_lf:
      return c == '\n' ? State::size_first : State::broken;
    case State::trailer_first:
      line_bytes_ = 0;
      if (c == '\r') return State::last_lf;
      return is_line_char(c) ? State::trailer : State::broken;
    case State::trailer_lf:
      return c == '\n' ? State::trailer_first : State::broken;
    case State::last_lf:
      return c == '\n' ? State::done : State::broken;
    case State::until_close:
    case State::fixed:
    case State::data:
    case State::done:
    case State::broken:
      break;
  }
  return State::broken;
}

BodyFraming::State BodyFraming::after_size_char(char c) {
  if (const auto digit = base::hex_value(c)) {
    if (left_ >> 59 != 0) return State::broken;  // one more digit could pass 2^63
    left_ = left_ * 16 + *digit;
    return State::size;
  }
  line_bytes_ = 0;
  if (c == '\r') return State::size_lf;
  return c == ';' || c == ' ' || c == '\t' ? State::extension : State::broken;
}

}  // namespace wsproxy::http
