#pragma once

#include <cstdint>
#include <string>

#include "base/byte_queue.hpp"
#include "http/response_head.hpp"

namespace wsproxy::http {

/// Finds where the body of a request or an answer ends (RFC 9112 sections 6.3 and 7.1) and keeps none
/// of it.
class BodyFraming {
 public:
  using Status = ResponseHeadReader::BodyStatus;

  /// No body at all.
  BodyFraming() = default;
  static BodyFraming of(const RequestHead& head);
  /// `method` is that of the request: the answer to HEAD has no body.
  static BodyFraming of(const ResponseHead& head, std::string_view method);

  /// Adds to `used` what belongs to the body. A malformed body is malformed at the last byte used.
  /// Appends to `content` what is left of it without its framing.
  Status feed(base::Bytes input, std::size_t& used, base::ByteQueue* content = nullptr);
  Status status() const;

  /// Only the end of the connection ends it.
  bool ends_with_connection() const { return state_ == State::until_close; }
  bool is_chunked() const { return is_chunked_; }
  /// Of the content, so far.
  std::uint64_t content_bytes() const { return content_bytes_; }

 private:
  /// A chunked body: size line, data, line end, and so on; after the chunk of size 0 the trailer
  /// lines, of which an empty one is the last.
  ///
  ///   size_first -> size -> [blank ->] [extension] -> size_lf -> data -> data_cr -> data_lf -> size_first
  ///                                                      | size 0
  ///                                                      v
  ///                                  trailer_first -> trailer_name -> trailer_value -> trailer_lf -+
  ///                                      | CR   ^--------------------------------------------------+
  ///                                      v
  ///                                   last_lf -> done
  enum class State : std::uint8_t {
    until_close,
    fixed,
    done,
    broken,
    size_first,
    size,
    blank,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
  };

  void expect_chunks();
  void expect_bytes(std::uint64_t count);
  /// Takes up to `size` bytes of plain data and says how many.
  std::size_t take_data(std::size_t size);
  State after(char c);
  State after_size_char(char c);
  State after_trailer_char(char c);
  State after_trailer_name_char(char c);
  /// `next`, unless that is too much of lines that nobody keeps.
  State unless_too_long(State next, std::uint16_t limit);

  std::uint64_t left_ = 0;  // of the fixed body or of the chunk
  std::uint64_t content_bytes_ = 0;
  std::uint16_t line_bytes_ = 0;  // of the extension, or of all trailer lines
  std::uint8_t digits_ = 0;       // of the chunk size
  State state_ = State::done;
  bool is_chunked_ = false;
  std::string trailer_name_;
};

}  // namespace wsproxy::http
