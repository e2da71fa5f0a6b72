#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace wsproxy::deflate {

/// What one connection has been like lately: a member of a feed, whose messages others get as well, or
/// one that talks for itself. And, as a member, whether it is the first one to get a broadcast. Eleven bytes.
class SharingHabit {
 public:
  /// A message went through that others had, or had not, before or by now.
  void note(bool in_company) {
    recent_ = static_cast<std::uint16_t>(unsigned{recent_} << 1U | (in_company ? 1U : 0U));
    known_ = static_cast<std::uint8_t>(std::min<unsigned>(known_ + 1U, kWindow));
  }
  /// Nobody had had this message before. Was it a broadcast all the same?
  void note_first(bool others_followed) {
    if (others_followed) {
      lead_ = static_cast<std::uint8_t>(std::min<unsigned>(lead_ + 1U, kMostLead));
    } else if (lead_ > 0) {
      --lead_;
    }
  }

  /// Most of what comes is a feed's, as far as is known.
  bool is_member() const { return known_ >= kFewest && std::popcount(recent_) * 4 >= known_ * 3; }
  /// A message that nobody has had before is likely for this connection only.
  bool expects_private() const { return is_member() && lead_ < kLeads; }
  /// Private messages may go raw for an eighth of all bytes: more would cost more than equal histories save.
  void earn_raw(std::size_t message_size) {
    raw_credit_ = static_cast<std::uint16_t>(std::min(raw_credit_ + message_size / 8, kMostRawCredit));
  }
  bool spend_raw(std::size_t message_size) {
    if (message_size > raw_credit_) return false;
    raw_credit_ = static_cast<std::uint16_t>(raw_credit_ - message_size);
    return true;
  }
  /// A broadcast was had for a look-up, or it was compressed for this connection alone.
  void note_broadcast(bool had_to_compress) {
    if (had_to_compress) {
      paid_ = static_cast<std::uint8_t>(std::min<unsigned>(paid_ + 1U, kMostPaid));
    } else if (paid_ > 0) {
      --paid_;
    }
  }
  /// Nothing that came was a feed's, or its history is hardly ever another one's: it is better off with a
  /// history of its own.
  bool is_alone() const {
    return (known_ >= kAlone && (recent_ & ((1U << kAlone) - 1U)) == 0) || paid_ == kMostPaid;
  }

  /// It changes sides, from a shared history to one of its own or back. Each time it has to be surer.
  void change_sides() {
    known_ = 0;
    recent_ = 0;
    paid_ = 0;
    if (changes_ < kMostChanges) ++changes_;
    wait_ = static_cast<std::uint16_t>((1U << changes_) - 1U);
  }
  /// Whether a connection with a history of its own had better share one. Asked once a message.
  bool should_share() {
    if (known_ < kWindow || !is_member()) return false;
    if (wait_ > 0) --wait_;
    return wait_ == 0;
  }

 private:
  static constexpr unsigned kWindow = 16;
  static constexpr unsigned kFewest = 4;
  static constexpr unsigned kAlone = 8;
  static constexpr unsigned kMostLead = 3;
  static constexpr unsigned kLeads = 2;
  static constexpr unsigned kMostChanges = 10;
  static constexpr unsigned kMostPaid = 48;
  static constexpr std::size_t kMostRawCredit = 4096;

  std::uint16_t recent_ = 0;  // a bit a message, the last one lowest; set: in company
  std::uint16_t wait_ = 0;
  std::uint16_t raw_credit_ = 1024;
  std::uint8_t known_ = 0;  // how many of these bits mean something
  std::uint8_t lead_ = 0;
  std::uint8_t changes_ = 0;
  std::uint8_t paid_ = 0;
};

}  // namespace wsproxy::deflate
