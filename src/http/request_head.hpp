#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "http/field.hpp"

namespace wsproxy::http {

enum class HeadStatus : unsigned char {
  need_more,  // all input is used
  complete,
  too_large,  // over the limit: 431 for a request, 502 for a response
  malformed,  // 400 for a request, 502 for a response
};

struct RequestHead {
  std::string method;
  std::string target;
  unsigned version_minor = 1;  // of HTTP/1
  Fields fields;
};

/// Reads one request head at any split of the input: Beast's parser behind checks of our own for what
/// it lets through (RFC 9112: bare LF, obs-fold, NUL and other control characters, space before the
/// colon, two Host lines, both Content-Length and Transfer-Encoding, a target that is no valid one).
class RequestHeadReader {
 public:
  explicit RequestHeadReader(std::size_t max_bytes);
  ~RequestHeadReader();
  RequestHeadReader(RequestHeadReader&&) noexcept;
  RequestHeadReader& operator=(RequestHeadReader&&) noexcept;

  /// Adds to `used` what belongs to the head; bytes after it are not touched.
  HeadStatus feed(base::Bytes input, std::size_t& used);
  /// Whether anything of a head has come; empty lines ahead of one are nothing (RFC 9112 section 2.2).
  bool has_begun() const;
  /// Valid once complete.
  RequestHead& head();
  /// What was wrong, for the log; valid after too_large or malformed.
  std::string_view problem() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wsproxy::http
