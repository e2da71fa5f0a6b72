#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "deflate/block_store.hpp"
#include "deflate/intrusive_table.hpp"

namespace wsproxy::deflate {

/// One payload, stored once however many shared histories have it. Its bytes follow it in memory.
struct StoredText {
  StoredText* next = nullptr;  // of the table
  std::uint64_t hash = 0;
  std::uint32_t size = 0;
  std::uint32_t users = 0;

  base::Bytes bytes() const { return {reinterpret_cast<const std::byte*>(this + 1), size}; }
};

/// The payloads of all shared histories of a worker, interned: equal bytes are the same object.
class TextStore {
 public:
  /// The seed makes hashes unpredictable for whoever chooses payloads. The blocks outlive the store.
  TextStore(BlockStore& blocks, std::uint64_t seed) : blocks_(blocks), seed_(seed) {}
  ~TextStore();
  TextStore(const TextStore&) = delete;
  TextStore& operator=(const TextStore&) = delete;

  std::uint64_t hash(base::Bytes text) const;
  /// The text with one more user, or null without memory for it. `text_hash` is hash(text), the text at
  /// most 4 GiB.
  StoredText* take(base::Bytes text, std::uint64_t text_hash);
  /// One user less; the last one frees it.
  void release(StoredText& text);

  /// What a text of this size takes.
  static std::size_t memory_of(std::size_t size) { return sizeof(StoredText) + size; }

  std::size_t size() const { return table_.size(); }

 private:
  BlockStore& blocks_;
  std::uint64_t seed_;
  IntrusiveTable<StoredText> table_;
};

}  // namespace wsproxy::deflate
