#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "http/field.hpp"
#include "http/request_head.hpp"

namespace wsproxy::http {

struct ResponseHead {
  unsigned status = 0;
  std::string reason;
  unsigned version_minor = 1;
  Fields fields;
  std::string raw;  // the bytes as they came, blank line included: a refusal goes on unchanged
};

/// Reads the app's answer to an upgrade request. 1xx answers before the final one (100, 102, 103) are
/// skipped; 101 ends it. After a head that is not 101, body() tells where the answer ends.
class ResponseHeadReader {
 public:
  explicit ResponseHeadReader(std::size_t max_bytes);
  ~ResponseHeadReader();
  ResponseHeadReader(ResponseHeadReader&&) noexcept;
  ResponseHeadReader& operator=(ResponseHeadReader&&) noexcept;

  /// Adds to `used` what belongs to heads; bytes after the final one are not touched.
  HeadStatus feed(base::Bytes input, std::size_t& used);
  ResponseHead& head();
  std::string_view problem() const;

  enum class BodyStatus : unsigned char { more, complete, malformed };
  /// For a head that is not 101: whether the body is complete after `input`; adds to `used` what of
  /// it belongs to the answer. An answer without a length ends with the connection (RFC 9112 6.3).
  BodyStatus body(base::Bytes input, std::size_t& used);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wsproxy::http
