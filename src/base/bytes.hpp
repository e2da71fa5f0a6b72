#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wsproxy::base {

/// Borrowed bytes; whoever hands them out says how long they live.
using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Network byte order, no alignment asked for.
std::uint16_t load_be16(const std::byte* from);
std::uint64_t load_be64(const std::byte* from);
void store_be16(std::byte* to, std::uint16_t value);
void store_be64(std::byte* to, std::uint64_t value);

}  // namespace wsproxy::base
