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

  /// RFC 9110 section 15.2: an answer before the answer. 101 is the last of its connection.
  bool is_interim() const { return status < 200 && status != 101; }
};

/// Reads the head of an app's answer. After a final head that is not 101, body() tells where the answer
/// to a GET ends.
class ResponseHeadReader {
 public:
  /// What becomes of 1xx answers before the final one (100, 102, 103); 101 is final.
  enum class Interim : unsigned char {
    skipped,
    read,  // each is complete as well; next() goes on to the one after it
  };
  /// `max_bytes` is for one head that is read, together with those that are skipped ahead of it.
  explicit ResponseHeadReader(std::size_t max_bytes, Interim interim = Interim::skipped);
  ~ResponseHeadReader();
  ResponseHeadReader(ResponseHeadReader&&) noexcept;
  ResponseHeadReader& operator=(ResponseHeadReader&&) noexcept;

  /// Adds to `used` what belongs to heads; bytes after the final one are not touched.
  HeadStatus feed(base::Bytes input, std::size_t& used);
  ResponseHead& head();
  std::string_view problem() const;
  /// Makes ready for the head behind an interim one that was complete.
  void next();

  enum class BodyStatus : unsigned char { more, complete, malformed };
  /// For a head that is not 101: whether the body is complete after `input`; adds to `used` what of
  /// it belongs to the answer. An answer without a length ends with the connection (RFC 9112 6.3).
  BodyStatus body(base::Bytes input, std::size_t& used);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wsproxy::http
