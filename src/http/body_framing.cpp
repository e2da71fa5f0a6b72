#include "http/body_framing.hpp"

#include <algorithm>
#include <array>

#include "base/ascii.hpp"
#include "http/forwarded.hpp"
#include "http/line.hpp"

namespace wsproxy::http {
namespace {

/// Nothing of these lines is kept; the limits end what never ends.
constexpr std::uint16_t kMaxExtension = 4096;
constexpr std::uint16_t kMaxTrailers = 16384;
constexpr std::uint8_t kMaxDigits = 16;

bool has_no_body(unsigned status) {
  return status < 200 || status == 204 || status == 304;
}

/// RFC 9110 section 6.5.1: some recipients merge trailers into the head, where these would count.
bool may_be_trailer(std::string_view name) {
  constexpr std::array<std::string_view, 5> kOfHeads = {"content-length", "transfer-encoding", "host",
                                                        "connection", "upgrade"};
  const auto is_name = [name](std::string_view one) { return base::iequals(one, name); };
  return std::none_of(kOfHeads.begin(), kOfHeads.end(), is_name) && !is_about_origin(name);
}

}  // namespace

BodyFraming BodyFraming::of(const RequestHead& head) {
  BodyFraming framing;
  if (head.fields.count("transfer-encoding") > 0) {
    framing.expect_chunks();
  } else if (const auto length = base::parse_decimal(head.fields.first("content-length"))) {
    framing.expect_bytes(*length);
  }
  return framing;
}

BodyFraming BodyFraming::of(const ResponseHead& head, std::string_view method) {
  BodyFraming framing;
  if (has_no_body(head.status) || method == "HEAD") return framing;
  framing.state_ = State::until_close;
  if (head.fields.count("transfer-encoding") > 0) {
    framing.expect_chunks();
  } else if (const auto length = base::parse_decimal(head.fields.first("content-length"))) {
    framing.expect_bytes(*length);
  }
  return framing;
}

void BodyFraming::expect_chunks() {
  state_ = State::size_first;
  is_chunked_ = true;
}

void BodyFraming::expect_bytes(std::uint64_t count) {
  left_ = count;
  state_ = count == 0 ? State::done : State::fixed;
}

BodyFraming::Status BodyFraming::feed(base::Bytes input, std::size_t& used, base::ByteQueue* content) {
  while (!input.empty() && status() == Status::more) {
    const bool is_data = state_ == State::until_close || state_ == State::fixed || state_ == State::data;
    const std::size_t taken = is_data ? take_data(input.size()) : 1;
    if (!is_data) {
      state_ = after(static_cast<char>(input.front()));
    } else if (content != nullptr) {
      content->append(input.first(taken));
    }
    input = input.subspan(taken);
    used += taken;
  }
  return status();
}

BodyFraming::Status BodyFraming::status() const {
  if (state_ == State::done) return Status::complete;
  return state_ == State::broken ? Status::malformed : Status::more;
}

std::size_t BodyFraming::take_data(std::size_t size) {
  std::size_t taken = size;
  if (state_ != State::until_close) {
    taken = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
    left_ -= taken;
    if (left_ == 0) state_ = state_ == State::fixed ? State::done : State::data_cr;
  }
  content_bytes_ += taken;
  return taken;
}

BodyFraming::State BodyFraming::after(char c) {
  switch (state_) {
    case State::size_first:
      left_ = 0;
      digits_ = 0;
      return base::hex_value(c) ? after_size_char(c) : State::broken;
    case State::size:
      return after_size_char(c);
    case State::blank:
      // Section 7.1.1: white space there is of an extension; a size has none behind it.
      if (c == ';') return State::extension;
      return c == ' ' || c == '\t' ? unless_too_long(State::blank, kMaxExtension) : State::broken;
    case State::extension:
      if (c == '\r') return State::size_lf;
      return is_line_char(c) ? unless_too_long(State::extension, kMaxExtension) : State::broken;
    case State::size_lf:
      if (c != '\n') return State::broken;
      line_bytes_ = 0;
      return left_ == 0 ? State::trailer_first : State::data;
    case State::data_cr:
      return c == '\r' ? State::data_lf : State::broken;
    case State::data_lf:
      return c == '\n' ? State::size_first : State::broken;
    case State::trailer_first:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_lf:
      return after_trailer_char(c);
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
    // One more digit could pass 2^63; and zeros ahead must end as well.
    if (left_ >> 59 != 0 || ++digits_ > kMaxDigits) return State::broken;
    left_ = left_ * 16 + *digit;
    return State::size;
  }
  line_bytes_ = 0;
  if (c == '\r') return State::size_lf;
  if (c == ';') return State::extension;
  return c == ' ' || c == '\t' ? State::blank : State::broken;
}

/// Section 7.1.2: each trailer line is a field line.
BodyFraming::State BodyFraming::after_trailer_char(char c) {
  switch (state_) {
    case State::trailer_first:
      trailer_name_.clear();
      if (c == '\r') return State::last_lf;
      return c == ':' ? State::broken : after_trailer_name_char(c);
    case State::trailer_name:
      return after_trailer_name_char(c);
    case State::trailer_value:
      if (c == '\r') return State::trailer_lf;
      return is_line_char(c) ? unless_too_long(State::trailer_value, kMaxTrailers) : State::broken;
    default:
      return c == '\n' ? unless_too_long(State::trailer_first, kMaxTrailers) : State::broken;
  }
}

BodyFraming::State BodyFraming::after_trailer_name_char(char c) {
  if (c == ':') return may_be_trailer(trailer_name_) ? State::trailer_value : State::broken;
  if (!base::is_token_char(c)) return State::broken;
  trailer_name_ += c;
  return unless_too_long(State::trailer_name, kMaxTrailers);
}

BodyFraming::State BodyFraming::unless_too_long(State next, std::uint16_t limit) {
  return ++line_bytes_ < limit ? next : State::broken;
}

}  // namespace wsproxy::http
