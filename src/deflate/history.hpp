#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "deflate/budget.hpp"

namespace wsproxy::deflate {

class HistoryShelf;
class TextPacker;

/// The last bytes of plain text that went through one direction of a connection compressed: all that
/// the connection owns of its compression state (DESIGN section 5). Grows with use up to its reach.
/// What was sent raw is never appended (RFC 7692 section 7.2.1: it does not enter the window).
///
/// On a shelf it may be asleep, that is kept compressed, while nobody uses it; any use wakes it.
class History {
 public:
  /// A sender may forget at any time; a receiver must keep what its peer may refer back to.
  enum class Keep : std::uint8_t { may_forget, must_keep };

  /// `reach` in bytes, at most 32768; 0 keeps nothing. The budget, or the shelf, outlives the history.
  History(std::size_t reach, Keep keep, Budget& budget);
  History(std::size_t reach, Keep keep, HistoryShelf& shelf);
  History(History&& other) noexcept;
  History& operator=(History&& other) = delete;
  ~History();

  /// Adds text at the end and drops what is out of reach. A may_forget history that gets no memory to
  /// grow keeps as much of the newest text as it has memory for, perhaps nothing.
  void append(base::Bytes text);
  /// Empties it and gives the memory back.
  void forget();
  /// A longer reach keeps the text, a shorter one drops the oldest and gives its memory back.
  void set_reach(std::size_t reach);
  /// Drops the oldest text, so that it holds no more than `bytes` of memory for now; the reach stays.
  /// Of no effect on a must_keep history. A sleeping one that holds more is dropped altogether.
  void shrink_to(std::size_t bytes);

  /// Contiguous, oldest first; valid until the next non-const call, and on a shelf until the next sweep.
  /// A sleeping may_forget history that gets no memory to wake up is empty.
  base::Bytes text();
  std::size_t size() const { return size_; }
  bool is_asleep() const { return is_asleep_; }
  /// Bytes that count against the budget.
  std::size_t memory() const { return capacity_; }
  std::size_t reach() const { return reach_; }

  /// Names this state of the text among all of a worker; 0 when no encoder stands at it. Set by
  /// EncoderPool after a message, cleared by every other change.
  std::uint64_t stamp() const { return stamp_; }
  void set_stamp(std::uint64_t stamp) { stamp_ = stamp; }

 private:
  friend class HistoryShelf;

  void make_room(std::size_t more);
  bool reserve(std::size_t bytes);
  bool move_to(std::size_t capacity, std::size_t kept);
  bool adopt(std::unique_ptr<std::byte[]> block, std::size_t capacity);
  void touch();
  bool sleep(TextPacker& packer);
  void wake();

  Budget* budget_;
  HistoryShelf* shelf_ = nullptr;
  std::unique_ptr<std::byte[]> data_;  // asleep: the compressed text, which fills it
  std::uint64_t stamp_ = 0;
  std::uint32_t place_ = 0;  // on the shelf, while it owns memory
  std::uint16_t reach_;
  std::uint16_t begin_ = 0;
  std::uint16_t size_ = 0;  // of the text, also while it is asleep
  std::uint16_t capacity_ = 0;
  std::uint16_t used_round_ = 0;  // of the shelf
  Keep keep_;
  bool is_asleep_ = false;
  bool resists_ = false;  // did not get smaller when it was put to sleep
};

static_assert(sizeof(History) <= 64);

}  // namespace wsproxy::deflate
