#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/byte_queue.hpp"
#include "deflate/budget.hpp"
#include "deflate/encoder.hpp"
#include "deflate/shared_value.hpp"
#include "deflate/text_store.hpp"

/// Histories as values that connections share (DESIGN section 5: "Equal histories give equal bytes").
///
/// A value is what was sent since some start: a chain of texts. Chains are interned, so two connections
/// that were sent the same texts since the same start hold the same value, and what the one's next message
/// was compressed to serves the other. Texts are stored once and compared byte by byte.
///
/// Chains that began at different times become equal again because starts are chosen by content: a text
/// whose hash says so is a mark. A chain that began anywhere else is left at the first mark, and one that
/// has grown past the reach goes on from its first mark that is within reach, or without one from the text
/// with the least hash. A receiver that has been on its own for some messages goes on from the next mark
/// alone, where it meets the others of its kind long before what set them apart is out of reach.
namespace wsproxy::deflate {

class SharedHistories;

/// A connection's place among the shared histories: which value its receiver's window ends with.
/// Costs the connection 32 bytes. The histories outlive it.
class SharedPlace {
 public:
  /// At the start of everything, with nothing sent that may be referred to. `window_bits` as agreed.
  SharedPlace(SharedHistories& histories, std::uint8_t window_bits);
  SharedPlace(SharedPlace&& other) noexcept;
  SharedPlace& operator=(SharedPlace&& other) noexcept;
  ~SharedPlace();

  /// Whether another connection has come by since this one's last message was compressed for it anew.
  /// True after a message that was known already.
  bool is_in_company() const;
  std::uint8_t window_bits() const;
  /// How much text may be referred to.
  std::size_t size() const;
  /// Whether it leaves what it began with at the first mark, to become equal to others (the default). A
  /// connection that talks for itself would only lose by it.
  void set_realigns(bool realigns) { realigns_ = realigns; }
  /// Back to the start: always allowed. Whether it is in company can still be asked.
  void forget();

 private:
  friend class SharedHistories;
  SharedHistories* histories_;
  SharedValue* at_;
  SharedValue* made_ = nullptr;  // where it was, if its last message was compressed for it
  std::uint32_t arrivals_ = 0;   // there, up to its own
  std::uint16_t alone_ = 0;      // turns in a row in which nobody came by
  std::uint8_t restarts_ = 0;    // since somebody came by
  bool realigns_ = true;
};

/// All shared histories of one worker. Not thread-safe.
class SharedHistories {
 public:
  struct Tuning {
    std::size_t reach = 32768;      // of a chain, in bytes; the agreed window bounds it
    std::size_t mark_every = 4096;  // bytes of text on average between two marks; 0: no marks
    bool restarts_only = false;     // a chain ends at the next mark, whatever its reach
    std::uint16_t patience = 4;     // turns on its own before a receiver goes on from a mark; 0: never
  };

  /// `seed` makes the marks and the tables unpredictable. Pool and budget outlive the histories.
  SharedHistories(EncoderPool& encoders, Budget& budget, std::uint64_t seed, Tuning tuning);
  SharedHistories(EncoderPool& encoders, Budget& budget, std::uint64_t seed)
      : SharedHistories(encoders, budget, seed, Tuning{}) {}
  ~SharedHistories();
  SharedHistories(const SharedHistories&) = delete;
  SharedHistories& operator=(const SharedHistories&) = delete;

  std::uint64_t hash(base::Bytes text) const { return texts_.hash(text); }

  /// What this text was compressed to for another connection at the same place, or nothing. The place
  /// moves on. Valid until the next call of anything here; the place may forget meanwhile, or go.
  base::Bytes known(SharedPlace& place, base::Bytes text);
  /// Compresses the text, moves the place on and keeps the result for others. False when it does not
  /// shrink: it has to go raw, and the place stays. `text_hash` is hash(text).
  bool compress(SharedPlace& place, base::Bytes text, std::uint64_t text_hash, Method method,
                base::ByteQueue& out);
  /// Puts what may be referred to at this place into a history of the connection's own, which goes on with
  /// the encoder that stands there.
  void continue_in(const SharedPlace& place, History& history);

  /// Forgets compressed bytes that nobody has asked for lately; returns how many. To be called every
  /// housekeeping round.
  std::size_t evict_unused();
  /// Gives back all it can: compressed bytes first, then, with `texts_too`, the texts: whoever refers to
  /// them finds itself at the start. Returns how many were given up; none from within another call here, as
  /// when the budget asks for room.
  std::size_t give_up(bool texts_too);

  std::size_t value_count() const { return values_.size(); }
  std::size_t text_count() const { return texts_.size(); }

 private:
  friend class SharedPlace;
  /// A chain of tiny texts is cut before its nodes outweigh them.
  static constexpr std::uint32_t kMostTexts = 512;

  SharedValue& root(std::uint8_t window_bits);
  SharedValue& where(SharedPlace& place);
  void arrive(SharedPlace& place, SharedValue& at, bool made);
  void show(SharedValue* value);
  void append_text(const SharedValue& value, base::ByteQueue& out) const;
  SharedValue* go_on(SharedPlace& place, SharedValue& made);
  void count_turn(SharedPlace& place);
  bool should_restart(const SharedPlace& place, const SharedValue& made) const;
  void store(SharedPlace& place, base::Bytes text, std::uint64_t text_hash, base::Bytes packed, Stamp stamp);

  static void hold(SharedValue& value) { ++value.holders; }
  void let_go(SharedValue& value);
  /// Takes it out of the tree. Its hold on the parent, which is returned, passes to the caller.
  SharedValue* detach(SharedValue& value);

  SharedValue* find_child(const SharedValue& of, base::Bytes text) const;
  /// Finds or makes it, and holds it; null without memory.
  SharedValue* child(SharedValue& of, StoredText& text);
  /// The value to go on from after one has been reached.
  SharedValue& successor(SharedValue& value, bool realigns);
  SharedValue* shortened(const SharedValue& value);
  std::size_t texts_to_keep(const SharedValue& value) const;
  bool is_mark(const StoredText& text) const;
  bool is_too_long(const SharedValue& value) const;
  std::size_t reach(const SharedValue& value) const;

  void keep_packed(SharedValue& value, base::Bytes packed);
  void drop_packed(SharedValue& value);
  void link_as_newest(SharedValue& value);
  void unlink(SharedValue& value);
  void remember(SharedValue& value);
  void forget_oldest();
  void forget_recent();
  void make_room(std::size_t bytes);

  /// The values that were made last live on though nobody stands there any more: a receiver that is ahead
  /// of the others may have been led away from the chain that they still have to follow.
  struct Recent {
    struct Entry {
      SharedValue* value;
      std::uint32_t size;
    };
    std::array<Entry, 64> values{};
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t bytes = 0;
  };

  EncoderPool& encoders_;
  Tuning tuning_;
  BlockStore blocks_;
  TextStore texts_;
  IntrusiveTable<SharedValue> values_;
  std::array<std::unique_ptr<SharedValue>, 16> roots_;  // by window bits
  SharedValue* newest_packed_ = nullptr;
  SharedValue* oldest_packed_ = nullptr;
  Recent recent_;
  const SharedPlace* served_ = nullptr;  // last; compared only
  SharedValue* shown_ = nullptr;         // held: whose compressed bytes were handed out last
  std::vector<StoredText*> chain_;       // scratch: newest first, with room for the longest
  base::ByteQueue past_;                 // scratch
  std::uint32_t round_ = 1;
  bool is_busy_ = false;
};

}  // namespace wsproxy::deflate
