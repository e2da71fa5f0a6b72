#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wsproxy::deflate {

/// A hash table of objects that somebody else owns and that carry their own links: `hash` and `next`. Nothing
/// is allocated for an entry, only for the buckets, which double now and then.
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
    if (size_ == buckets_.size()) grow();
    link(entry);
    ++size_;
  }

  void erase(Entry& entry) {
    Entry** at = &buckets_[index(entry.hash)];
    while (*at != &entry) at = &(*at)->next;
    *at = entry.next;
    --size_;
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (Entry* entry : buckets_)
      for (; entry != nullptr; entry = entry->next) visit(*entry);
  }

  std::size_t size() const { return size_; }

 private:
  std::size_t index(std::uint64_t hash) const { return hash & (buckets_.size() - 1); }

  void link(Entry& entry) {
    Entry*& bucket = buckets_[index(entry.hash)];
    entry.next = bucket;
    bucket = &entry;
  }

  void grow() {
    std::vector<Entry*> old(buckets_.size() * 2);
    old.swap(buckets_);
    for (Entry* entry : old) {
      while (entry != nullptr) {
        Entry* const next = entry->next;
        link(*entry);
        entry = next;
      }
    }
  }

  std::vector<Entry*> buckets_ = std::vector<Entry*>(64);
  std::size_t size_ = 0;
};

}  // namespace wsproxy::deflate
