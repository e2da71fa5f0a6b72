#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "deflate/budget.hpp"

namespace wsproxy::deflate {

/// The last bytes of plain text that went through one direction of a connection compressed: all that
/// the connection owns of its compression state (DESIGN section 5). Grows with use up to its reach.
/// What was sent raw is never appended (RFC 7692 section 7.2.1: it does not enter the window).
class History {
 public:
  /// A sender may forget at any time; a receiver must keep what its peer may refer back to.
  enum class Keep : std::uint8_t { may_forget, must_keep };

  /// `reach` in bytes, at most 32768; 0 keeps nothing. The budget outlives the history.
  History(std::size_t reach, Keep keep, Budget& budget);
  History(History&& other) noexcept;
  History& operator=(History&& other) = delete;
  ~History();

  /// Adds text at the end and drops what is out of reach. A may_forget history that gets no memory
  /// forgets everything instead of growing.
  void append(base::Bytes text);
  /// Empties it and gives the memory back.
  void forget();

  /// Contiguous, oldest first; valid until the next append or forget.
  base::Bytes text() const { return {data_.get(), size_}; }
  std::size_t size() const { return size_; }
  std::size_t reach() const { return reach_; }

  /// Names this state of the text among all of a worker; 0 when no encoder stands at it. Set by
  /// EncoderPool after a message, cleared by every other change.
  std::uint64_t stamp() const { return stamp_; }
  void set_stamp(std::uint64_t stamp) { stamp_ = stamp; }

 private:
  bool grow(std::size_t needed);

  Budget* budget_;
  std::unique_ptr<std::byte[]> data_;
  std::uint32_t reach_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
  Keep keep_;
  std::uint64_t stamp_ = 0;
};

}  // namespace wsproxy::deflate
