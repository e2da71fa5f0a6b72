#pragma once

#include <cstddef>
#include <cstdint>

#include "deflate/encoder.hpp"
#include "deflate/text_store.hpp"

namespace wsproxy::deflate {

/// A history as a value: the texts from a start to here, as a chain of such nodes. The root of all chains
/// of one window has no text. A node lives as long as a place, a longer chain, another node's `moved` or
/// the worker's list of recent ones holds it.
struct SharedValue {
  SharedValue* next = nullptr;  // of the table
  std::uint64_t hash = 0;
  std::uint32_t holders = 0;

  std::uint32_t size = 0;         // of all texts of the chain
  SharedValue* parent = nullptr;  // held; null for a root, and when given up
  StoredText* text = nullptr;     // used; null for a root, and when given up
  std::uint16_t length = 0;       // the number of texts
  std::uint8_t window_bits = 15;
  bool begins_at_mark = false;
  bool is_given_up = false;

  std::uint32_t children = 0;
  SharedValue* latest_child = nullptr;  // not held; it says so when it goes
  SharedValue* moved = nullptr;         // held: where to go on from instead of here
  Stamp stamp = 0;                      // of the encoder that stands here

  std::uint32_t arrivals = 0;   // messages after which somebody goes on from here
  std::uint32_t round = 0;      // of housekeeping, when it was asked for last
  std::byte* packed = nullptr;  // what the last text was compressed to behind the others
  std::uint32_t packed_size = 0;
  SharedValue* newer = nullptr;  // among those that have it
  SharedValue* older = nullptr;

  base::Bytes packed_bytes() const { return {packed, packed_size}; }
};

}  // namespace wsproxy::deflate
