#include "deflate/text_store.hpp"

#include <cassert>
#include <cstring>
#include <new>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace wsproxy::deflate {

TextStore::~TextStore() {
  assert(table_.size() == 0);
}

std::uint64_t TextStore::hash(base::Bytes text) const {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed_);
}

StoredText* TextStore::take(base::Bytes text, std::uint64_t text_hash) {
  StoredText* stored = table_.find(text_hash, [&](const StoredText& candidate) {
    return candidate.size == text.size() &&
           std::memcmp(candidate.bytes().data(), text.data(), text.size()) == 0;
  });
  if (stored == nullptr) {
    void* const memory = blocks_.take(memory_of(text.size()));
    if (memory == nullptr) return nullptr;
    stored = new (memory) StoredText{nullptr, text_hash, static_cast<std::uint32_t>(text.size()), 0};
    std::memcpy(stored + 1, text.data(), text.size());
    table_.insert(*stored);
  }
  ++stored->users;
  return stored;
}

void TextStore::release(StoredText& text) {
  if (--text.users > 0) return;
  table_.erase(text);
  const std::size_t size = memory_of(text.size);
  text.~StoredText();
  blocks_.give_back(&text, size);
}

}  // namespace wsproxy::deflate
