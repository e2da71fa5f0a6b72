#pragma once

#include <array>

#include "base/bytes.hpp"

namespace wsproxy::websocket {

using MaskKey = std::array<std::byte, 4>;

/// Applies `key` in place (RFC 6455 section 5.3). `offset` is where in the frame's payload
/// `payload` begins. Applying twice gives the original.
void apply_mask(base::MutableBytes payload, MaskKey key, std::uint64_t offset);

/// The same from `payload` into `to`, which has at least its size; they do not overlap.
void apply_mask(base::Bytes payload, std::byte* to, MaskKey key, std::uint64_t offset);

}  // namespace wsproxy::websocket
