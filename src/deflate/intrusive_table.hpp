#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace wsproxy::deflate {

/// A hash table of objects that somebody else owns and that carry their own links: `hash` and `next`. Nothing
/// is allocated for an entry, only for the buckets, which double now and then; without memory for that the
/// table goes on with those it has.
template <typename Entry>
class IntrusiveTable {
 public:
  template <typename Matches>
  Entry* find(std::uint64_t hash, Matches matches) const {
    for (Entry* entry = buckets_[index(hash)]; entry != nullptr; entry = entry->next)
      if (entry->hash == hash && matches(*entry)) return entry;
    return nullptr;
  }

  void insert(Entry& entry) {
    if (size_ >= bucket_count_) grow();
    link(entry);
    ++size_;
  }

  void erase(Entry& entry) {
    Entry** at = &buckets_[index(entry.hash)];
    while (*at != &entry) at = &(*at)->next;
    *at = entry.next;
    --size_;
  }

  /// Calls `erase_one` with some entry until none is left; it erases that one at least.
  template <typename Erase>
  void drain(Erase erase_one) {
    for (std::size_t i = 0; i < bucket_count_; ++i)
      while (buckets_[i] != nullptr) erase_one(*buckets_[i]);
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kFirstBuckets = 64;

  std::size_t index(std::uint64_t hash) const { return hash & (bucket_count_ - 1); }

  void link(Entry& entry) {
    Entry*& bucket = buckets_[index(entry.hash)];
    entry.next = bucket;
    bucket = &entry;
  }

  void grow() {
    std::unique_ptr<Entry* []> more { new (std::nothrow) Entry* [bucket_count_ * 2] {} };
    if (!more) return;
    more.swap(buckets_);
    const std::size_t before = bucket_count_;
    bucket_count_ *= 2;
    for (std::size_t i = 0; i < before; ++i) {
      for (Entry* entry = more[i]; entry != nullptr;) {
        Entry* const next = entry->next;
        link(*entry);
        entry = next;
      }
    }
  }

  std::unique_ptr<Entry*[]> buckets_ = std::make_unique<Entry*[]>(kFirstBuckets);
  std::size_t bucket_count_ = kFirstBuckets;
  std::size_t size_ = 0;
};

}  // namespace wsproxy::deflate
