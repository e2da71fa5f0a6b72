#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "deflate/compressor.hpp"
#include "unit/deflate/plain_zlib.hpp"

namespace wsproxy::deflate::test {

/// Many connections over the shared histories of one worker, and what happens to them, step by step. The
/// judge is a plain inflater a connection, of exactly its agreed window. `Choice` has below(bound), which
/// decides everything.
template <typename Choice>
class SharingWorld final : private Budget::Relief {
 public:
  SharingWorld(Choice& choice, std::size_t most_connections)
      : choice_(choice),
        most_connections_(most_connections),
        budget_(chosen_memory()),
        encoders_(1 + below(6), budget_),
        histories_(encoders_, budget_, below(256), chosen_tuning()),
        calm_(kCalm[below(std::size(kCalm))]) {
    if (below(2) == 0) budget_.set_relief(this);
  }

  ~SharingWorld() = default;
  SharingWorld(const SharingWorld&) = delete;
  SharingWorld& operator=(const SharingWorld&) = delete;

  void step() {
    if (members_.size() < 2 || below(8) == 0) return join();
    if (below(calm_) > 0) return broadcast();
    switch (below(5)) {
      case 0:
        return leave();
      case 1:
        return send_private();
      case 2:
        return send_burst();
      case 3:
        return keep_house();
      default:
        return rearrange();
    }
  }

  /// All leave; then nothing may be left of them.
  void end() {
    members_.clear();
    for (int i = 0; i < 2; ++i) histories_.evict_unused();
    require(histories_.value_count() == 0, "a value is left");
    require(histories_.text_count() == 0, "a text is left");
    histories_.give_up(false);
    encoders_.retire_all();
    require(budget_.used() == 0, "memory is left");
  }

  std::size_t joined() const { return joined_; }
  std::size_t compressed() const { return compressed_; }
  std::size_t known() const { return known_; }

 private:
  struct Member {
    Member(SharedHistories& histories, std::uint8_t bits, std::size_t in_feed, bool takes_over)
        : place(histories, bits), peer(bits, true), feed(in_feed), keeps_history(takes_over) {}
    SharedPlace place;
    PeerInflater peer;
    std::size_t feed;
    bool keeps_history;
    std::size_t behind = 0;  // messages of the feed that it has yet to get
  };
  static constexpr std::size_t kFeeds = 2;

  static void require(bool holds, const char* what) {
    if (!holds) throw std::runtime_error{what};
  }
  std::size_t below(std::size_t bound) { return choice_.below(bound); }

  std::size_t chosen_memory() {
    constexpr std::size_t kMemory[]{0, 3000, 100000, 1000000, kAmple, kAmple, kAmple, kAmple};
    return kMemory[below(std::size(kMemory))];
  }

  SharedHistories::Tuning chosen_tuning() {
    constexpr std::size_t kReach[]{32768, 32768, 8192, 1000, 1};
    constexpr std::size_t kMarks[]{4096, 1024, 200, 0, std::size_t{1} << 31U};
    return {.reach = kReach[below(std::size(kReach))],
            .mark_every = kMarks[below(std::size(kMarks))],
            .restarts_only = below(4) == 0,
            .patience = static_cast<std::uint16_t>(below(3) * 4)};
  }

  Method chosen_method() {
    const bool is_isal = has_isal() && below(3) > 0;
    if (below(4) > 0) return is_isal ? Method{Engine::isal, 0} : Method{Engine::zlib, 6};
    return is_isal ? Method{Engine::isal, static_cast<std::uint8_t>(below(4))}
                   : Method{Engine::zlib, static_cast<std::uint8_t>(1 + below(9))};
  }

  /// What a feed sends: the same again now and then, sometimes large.
  const std::string& message() {
    static const auto kMessages = [] {
      std::vector<std::string> messages;
      Texts texts{1};
      for (std::size_t i = 0; i < 600; ++i) messages.push_back(texts.chat());
      for (std::size_t i = 0; i < 60; ++i) messages.push_back(texts.any());
      for (std::size_t i = 0; i < 60; ++i) messages.push_back(std::to_string(i) + " is it");
      for (std::size_t i = 0; i < 60; ++i) messages.push_back(std::string(i, i % 2 == 0 ? 'a' : 'b'));
      for (std::size_t i = 0; i < 3; ++i) messages.push_back(texts.chats(64000));
      return messages;
    }();
    switch (below(64)) {
      case 0:
        return kMessages[below(kMessages.size())];
      case 1:
      case 2:
        return kMessages[600 + below(180)];
      case 3:
        return kMessages[below(3)];
      default:
        return kMessages[below(600)];
    }
  }

  void make_room(std::size_t bytes) override {
    encoders_.retire_standing(EncoderPool::Which::all);
    if (budget_.free() < bytes) histories_.give_up(false);
  }

  void join() {
    if (members_.size() == most_connections_) return;
    const std::size_t kind = below(8);
    const auto bits = static_cast<std::uint8_t>(kind < 6 ? 15 : 8 + below(8));
    members_.push_back(std::make_unique<Member>(histories_, bits, below(kFeeds), below(10) > 0));
    members_.back()->place.set_realigns(below(8) > 0);
    ++joined_;
  }

  void leave() {
    if (members_.empty()) return;
    std::swap(members_[below(members_.size())], members_.back());
    members_.pop_back();
  }

  /// To all members of a feed, except that some of them get theirs later.
  void broadcast() {
    auto& feed = feeds_[below(kFeeds)];
    const auto number = static_cast<std::size_t>(&feed - feeds_.data());
    feed.push_back(message());
    if (feed.size() > kLate) feed.pop_front();
    const bool some_late = below(calm_) == 0;
    const bool all_raw = below(calm_) == 0;
    for (auto& member : members_) {
      if (member->feed != number) continue;
      ++member->behind;
      if (all_raw) {
        member->behind = 0;
      } else if (!some_late || below(2) == 0 || member->behind > kLate) {
        catch_up(*member, feed);
      }
    }
  }

  void catch_up(Member& member, const std::deque<std::string>& feed) {
    for (std::size_t i = feed.size() - std::min(member.behind, feed.size()); i < feed.size(); ++i)
      send(member, feed[i]);
    member.behind = 0;
  }

  void send_private() {
    if (members_.empty()) return;
    send(*members_[below(members_.size())], message());
  }

  void send_burst() {
    if (members_.empty()) return;
    Member& member = *members_[below(members_.size())];
    for (std::size_t i = below(8); i > 0; --i) send(member, message());
  }

  void send(Member& member, const std::string& message) {
    const base::Bytes text = base::as_bytes(message);
    base::Bytes packed = histories_.known(member.place, text);
    out_.clear();
    if (!packed.empty()) {
      ++known_;
    } else if (histories_.compress(member.place, text, histories_.hash(text), chosen_method(), out_)) {
      packed = out_.view();
      ++compressed_;
    }
    if (!member.keeps_history) member.place.forget();
    // Else it goes raw, which the inflater does not get to see.
    if (packed.empty()) return;
    require(member.peer.message(base::as_text(packed), message.size() > 5000 ? 256 : 1) == message,
            "another message came out");
  }

  void keep_house() {
    switch (below(6)) {
      case 0:
        histories_.give_up(false);
        break;
      case 1:
        histories_.give_up(true);
        break;
      case 2:
        encoders_.retire_all();
        break;
      default:
        encoders_.retire_unused();
        histories_.evict_unused();
    }
  }

  /// Places that move, forget, or end in a history of the connection's own and come back empty.
  void rearrange() {
    if (members_.empty()) return;
    Member& member = *members_[below(members_.size())];
    switch (below(4)) {
      case 0: {
        SharedPlace moved = std::move(member.place);
        member.place = std::move(moved);
        break;
      }
      case 1:
        member.place.forget();
        break;
      case 2:
        return go_alone_for_a_while(member);
      default:
        member.feed = below(kFeeds);
        member.behind = 0;
    }
  }

  void go_alone_for_a_while(Member& member) {
    const auto bits = member.place.window_bits();
    History history{std::min<std::size_t>(4096, std::size_t{1} << bits), History::Keep::may_forget, budget_};
    histories_.continue_in(member.place, history);
    for (std::size_t i = below(4); i > 0; --i) {
      const std::string& alone = message();
      out_.clear();
      const EncoderShape shape = fitted_shape(chosen_method(), bits, history.reach(), alone.size());
      if (!encoders_.compress(base::as_bytes(alone), shape, &history, out_)) continue;
      require(member.peer.message(base::as_text(out_.view()), 16) == alone, "another message came out alone");
    }
    encoders_.leave(history.stamp());
    member.place.forget();
  }

  static constexpr std::size_t kAmple = std::size_t{64} << 20;
  static constexpr std::size_t kLate = 12;
  static constexpr std::size_t kCalm[]{3, 20, 100};

  Choice& choice_;
  std::size_t most_connections_;
  Budget budget_;
  EncoderPool encoders_;
  SharedHistories histories_;
  std::size_t calm_;  // the higher, the less often anything but a broadcast happens
  std::vector<std::unique_ptr<Member>> members_;
  std::array<std::deque<std::string>, kFeeds> feeds_;
  base::ByteQueue out_;
  std::size_t joined_ = 0;
  std::size_t compressed_ = 0;
  std::size_t known_ = 0;
};

}  // namespace wsproxy::deflate::test
