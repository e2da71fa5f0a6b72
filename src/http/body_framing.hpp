#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "http/response_head.hpp"

namespace wsproxy::http {

/// Finds where the body of an answer ends (RFC 9112 sections 6.3 and 7.1) and keeps none of it.
class BodyFraming {
 public:
  BodyFraming() = default;
  /// For the answer to a GET.
  explicit BodyFraming(const ResponseHead& head);

  using Status = ResponseHeadReader::BodyStatus;
  /// Adds to `used` what belongs to the body.
  Status feed(base::Bytes input, std::size_t& used);

 private:
  /// A chunked body: size line, data, line end, and so on; after the chunk of size 0 the trailer
  /// lines, of which an empty one is the last.
  ///
  ///   size_first -> size -> [extension] -> size_lf -> data -> data_cr -> data_lf -> size_first
  ///                                           | size 0
  ///                                           v
  ///                                        trailer_first -> trailer -> trailer_lf -> trailer_first
  ///                                           | CR
  ///                                           v
  ///                                        last_lf -> done
  enum class State : std::uint8_t {
    until_close,
    fixed,
    done,
    broken,
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer,
    trailer_lf,
    last_lf,
  };

  Status status() const;
  /// Takes up to `size` bytes of plain data and says how many.
  std::size_t take_data(std::size_t size);
  State after(char c);
  State after_size_char(char c);

  State state_ = State::done;
  std::uint64_t left_ = 0;        // of the fixed body or of the chunk
  std::uint16_t line_bytes_ = 0;  // of the extension or trailer line
};

}  // namespace wsproxy::http
