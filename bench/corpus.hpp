#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// What the messages are made of.
enum class Kind : std::uint8_t {
  chat,    // 150 to 400 bytes of JSON: what a chat room's members get to see
  state,   // 2 to 8 KB of JSON: the changed entities of a synchronised state
  doc,     // about 64 KB of JSON: a page of orders
  random,  // 4 KB of random bytes
  large,   // exactly 64 KiB of text
};

std::optional<Kind> kind_from(std::string_view name);
/// The middle size of a message, to plan memory with.
std::size_t typical_size(Kind kind);
bool is_text(Kind kind);

/// An endless sequence of payloads. The same kind and seed give the same sequence everywhere; two
/// seeds are two streams in the same world: the same users, entities and products, other messages.
class Corpus {
 public:
  virtual ~Corpus() = default;
  virtual std::string next() = 0;
};

std::unique_ptr<Corpus> make_corpus(Kind kind, std::uint64_t seed);

}  // namespace bench
