#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.hpp"
#include "deflate/budget.hpp"

namespace wsproxy::deflate {

/// Makes a worker's unused texts small, with the fastest codec that the build has. Its memory counts
/// against the budget and is there only while it is in use.
class TextPacker {
 public:
  explicit TextPacker(Budget& budget);
  ~TextPacker();
  TextPacker(const TextPacker&) = delete;
  TextPacker& operator=(const TextPacker&) = delete;

  /// Makes what pack() needs, now: the memory for it may come from a text that is to be packed. False when
  /// there is none.
  bool get_ready();
  /// Valid until the next call; empty when a quarter cannot be saved, or without memory. At most 32 KiB.
  base::Bytes pack(base::Bytes text);
  /// Fills all of `text` with what pack() made of it; false when there is no memory for that.
  bool unpack(base::Bytes packed, base::MutableBytes text);
  /// Frees what was not used since the call before; returns how many bytes.
  std::size_t retire_unused();

 private:
  class Deflater;
  class Inflater;
  template <class Codec>
  Codec* made(std::unique_ptr<Codec>& codec);
  template <class Codec>
  void retire(std::unique_ptr<Codec>& codec, bool& was_used);

  Budget* budget_;
  std::unique_ptr<Deflater> deflater_;
  std::unique_ptr<Inflater> inflater_;
  bool packed_ = false;
  bool unpacked_ = false;
};

}  // namespace wsproxy::deflate
