#pragma once

#include <array>
#include <cstdint>

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

  /// Notes that the payload goes to this connection. True when another one had it before.
  bool see(std::uint64_t hash, Connection connection) {
    Entry& entry = entry_of(hash);
    const bool is_known = entry.tag == tag_of(hash) && entry.connection != connection;
    entry = {tag_of(hash), is_known ? kSeveral : connection};
    return is_known;
  }

  /// Whether somebody else has had it since see() said that nobody had.
  bool was_seen_by_others(std::uint64_t hash) const {
    const Entry& entry = entries_[hash % entries_.size()];
    return entry.tag == tag_of(hash) && entry.connection == kSeveral;
  }

 private:
  struct Entry {
    std::uint32_t tag = 0;
    Connection connection = 0;
  };
  static constexpr Connection kSeveral = 0;

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32U) | 1U; }
  Entry& entry_of(std::uint64_t hash) { return entries_[hash % entries_.size()]; }

  Connection last_ = kSeveral;
  std::array<Entry, 1024> entries_{};
};

}  // namespace wsproxy::deflate
