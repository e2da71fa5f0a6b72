// Inflating with ISA-L (igzip), block by block.
//
// ISA-L takes some streams that zlib refuses: it decodes with codes that are not complete. So the header of
// every block is looked at first. To have ISA-L stop behind a block, the block is given to it as the last of
// a stream of its own: with BFINAL set, in the bits that are handed over in its state, and with the text so
// far as a dictionary.

#include "deflate/isal_inflater.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <isa-l/igzip_lib.h>
#include <new>

#include "deflate/block_header.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kWindow = 32768;
// Each block costs a dictionary. More are unusual, and a peer may make them as small as 10 bits.
constexpr int kMostBlocks = 16;

auto* octets(base::Bytes bytes) {
  // Not const in ISA-L's declarations, but only read.
  return reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
}

class IsalInflater final : public WholeInflater {
 public:
  explicit IsalInflater(Budget& budget) : budget_(budget) { budget_.reserve(sizeof(IsalInflater)); }
  ~IsalInflater() override { budget_.release(sizeof(IsalInflater)); }
  IsalInflater(const IsalInflater&) = delete;
  IsalInflater& operator=(const IsalInflater&) = delete;

  std::optional<std::size_t> inflate(base::Bytes past, base::Bytes packed, base::MutableBytes room) override {
    std::size_t bit = 0;
    std::size_t size = 0;
    for (int blocks = 0; bit < packed.size() * 8; ++blocks) {
      const BlockKind kind = look_at_block(packed, bit);
      if (kind == BlockKind::tail) break;
      if (kind == BlockKind::surprising || blocks == kMostBlocks || size == room.size()) return std::nullopt;
      if (!inflate_block(window(past, room.first(size)), packed, bit, room, size)) return std::nullopt;
    }
    // Whether more would have come is not known when there is no room left.
    if (size == room.size()) return std::nullopt;
    return size;
  }

 private:
  bool inflate_block(base::Bytes past, base::Bytes packed, std::size_t& bit, base::MutableBytes room,
                     std::size_t& size) {
    isal_inflate_init(&state_);
    if (!past.empty() &&
        isal_inflate_set_dict(&state_, octets(past), static_cast<std::uint32_t>(past.size())) != COMP_OK) {
      return false;
    }
    const base::Bytes rest = packed.subspan(bit / 8 + 1);
    state_.read_in = std::to_integer<std::uint64_t>(packed[bit / 8]) >> (bit % 8) | 1u;
    state_.read_in_length = static_cast<std::int32_t>(8 - bit % 8);
    state_.next_in = octets(rest);
    state_.avail_in = static_cast<std::uint32_t>(rest.size());
    state_.next_out = octets(room.subspan(size));
    state_.avail_out = static_cast<std::uint32_t>(room.size() - size);
    if (isal_inflate(&state_) != ISAL_DECOMP_OK || state_.block_state != ISAL_BLOCK_FINISH) return false;
    size = room.size() - state_.avail_out;
    bit = (packed.size() - state_.avail_in) * 8 - static_cast<std::size_t>(state_.read_in_length);
    return true;
  }

  /// The last 32 KiB of both, in one piece.
  base::Bytes window(base::Bytes past, base::Bytes text) {
    if (text.empty()) return past;
    if (text.size() >= kWindow) return text.last(kWindow);
    past = past.last(std::min(past.size(), kWindow - text.size()));
    if (past.empty()) return text;
    std::memcpy(window_.data(), past.data(), past.size());
    std::memcpy(window_.data() + past.size(), text.data(), text.size());
    return base::Bytes{window_}.first(past.size() + text.size());
  }

  Budget& budget_;
  inflate_state state_;
  std::array<std::byte, kWindow> window_;
};

}  // namespace

std::unique_ptr<WholeInflater> make_isal_inflater(Budget& budget) {
  return std::unique_ptr<WholeInflater>{new (std::nothrow) IsalInflater{budget}};
}

}  // namespace wsproxy::deflate
