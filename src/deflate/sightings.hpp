#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace wsproxy::deflate {

/// Which payloads went to which connection of a worker lately, by their hashes: tells a broadcast from a
/// private message. A guess that decides how something is sent, never what: two payloads may share a hash,
/// and an old entry gives way to a new one.
class Sightings {
 public:
  using Connection = std::uint32_t;

  Connection next_connection() {
    if (++last_ == kSeveral) ++last_;
    return last_;
  }

  /// Notes whom a message goes to. False while nobody else has got any since the one before: what others do
  /// about that one cannot be known yet. It is taken as known after a long row, since there may be no others.
  bool begins_turn(Connection connection) {
    row_ = std::exchange(served_, connection) == connection ? row_ + 1 : 0;
    return row_ == 0 || row_ >= kLongRow;
  }

  /// Notes that the payload goes to this connection. True when another one had it before.
  bool see(std::uint64_t hash, Connection connection) {
    Set& set = sets_[hash % sets_.size()];
    for (Entry& entry : set.entries) {
      if (entry.tag != tag_of(hash)) continue;
      if (entry.connection == connection) return false;
      entry.connection = kSeveral;
      return true;
    }
    set.entries[set.next++ % set.entries.size()] = {tag_of(hash), connection};
    return false;
  }

  /// Whether somebody else has had it since see() said that nobody had.
  bool was_seen_by_others(std::uint64_t hash) const {
    return std::ranges::any_of(sets_[hash % sets_.size()].entries, [hash](const Entry& entry) {
      return entry.tag == tag_of(hash) && entry.connection == kSeveral;
    });
  }

 private:
  struct Entry {
    std::uint32_t tag = 0;
    Connection connection = 0;
  };
  /// Messages of one read event must not drive each other out.
  struct Set {
    std::array<Entry, 4> entries{};
    std::uint32_t next = 0;
  };
  static constexpr Connection kSeveral = 0;
  static constexpr std::uint32_t kLongRow = 64;

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32U) | 1U; }

  Connection last_ = kSeveral;
  Connection served_ = kSeveral;
  std::uint32_t row_ = 0;
  std::array<Set, 256> sets_{};
};

}  // namespace wsproxy::deflate
