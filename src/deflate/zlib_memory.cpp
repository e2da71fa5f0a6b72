#include "deflate/zlib_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace wsproxy::deflate {
namespace {

// zlib does not tell the size when it frees, so it is kept in front of what zlib gets.
constexpr std::size_t kPrefix = alignof(std::max_align_t);
static_assert(kPrefix >= sizeof(std::size_t));

void* allocate(void* opaque, uInt items, uInt item_size) {
  const std::size_t size = kPrefix + std::size_t{items} * item_size;
  auto* const block = static_cast<std::byte*>(std::malloc(size));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<std::size_t*>(block) = size;
  static_cast<Budget*>(opaque)->reserve(size);
  return block + kPrefix;
}

void release(void* opaque, void* address) {
  auto* const block = static_cast<std::byte*>(address) - kPrefix;
  static_cast<Budget*>(opaque)->release(*reinterpret_cast<std::size_t*>(block));
  std::free(block);
}

}  // namespace

void charge_to(Budget& budget, z_stream& stream) {
  stream.opaque = &budget;
  stream.zalloc = &allocate;
  stream.zfree = &release;
}

}  // namespace wsproxy::deflate
