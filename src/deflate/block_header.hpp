#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace wsproxy::deflate {

enum class BlockKind : std::uint8_t {
  ordinary,  // to be decoded; its codes, if it brings some, are complete
  tail,  // a stored block of which only the header is there: the end of a message (RFC 7692 section 7.2.1)
  surprising  // the last of a stream, of an unknown type, cut off, or with codes that some decoders refuse
};

/// Looks at the header of the block (RFC 1951 section 3.2.3) that begins `bit` bits into `packed`.
BlockKind look_at_block(base::Bytes packed, std::size_t bit);

}  // namespace wsproxy::deflate
