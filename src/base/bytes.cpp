#include "base/bytes.hpp"

namespace wsproxy::base {

namespace {

template <typename Unsigned>
Unsigned load_be(const std::byte* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    value = (value << 8) | std::to_integer<std::uint64_t>(from[i]);
  return static_cast<Unsigned>(value);
}

template <typename Unsigned>
void store_be(std::byte* to, Unsigned value) {
  std::uint64_t rest = value;
  for (std::size_t i = sizeof(Unsigned); i-- > 0; rest >>= 8) to[i] = static_cast<std::byte>(rest & 0xff);
}

}  // namespace

std::uint16_t load_be16(const std::byte* from) {
  return load_be<std::uint16_t>(from);
}
std::uint64_t load_be64(const std::byte* from) {
  return load_be<std::uint64_t>(from);
}

void store_be16(std::byte* to, std::uint16_t value) {
  store_be(to, value);
}
void store_be64(std::byte* to, std::uint64_t value) {
  store_be(to, value);
}

}  // namespace wsproxy::base
