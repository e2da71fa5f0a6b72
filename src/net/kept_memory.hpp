#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include <boost/asio/bind_allocator.hpp>

namespace wsproxy::net {

/// Memory for a wait that begins again each time that it has ended, and on which more depends than one
/// connection: it is there before it is needed, so that no such wait is lost for want of it. The waits have
/// one block, which each gives back before it calls; what comes while that is taken goes to the heap.
class KeptMemory {
  static constexpr std::size_t kBytes = 512;
  struct Block {
    alignas(std::max_align_t) std::array<std::byte, kBytes> bytes;
    bool is_taken = false;
  };

 public:
  /// The calls of one loop. The block lives until its last wait has ended, which may be after this.
  template <class Handler>
  auto bind(Handler handler) {
    return boost::asio::bind_allocator(Allocator<std::byte>{block_}, std::move(handler));
  }

 private:
  template <class T>
  class Allocator {
   public:
    using value_type = T;
    explicit Allocator(std::shared_ptr<Block> block) : block_(std::move(block)) {}
    template <class U>
    Allocator(const Allocator<U>& other) : block_(other.block_) {}  // NOLINT(google-explicit-constructor)

    T* allocate(std::size_t count) {
      static_assert(alignof(T) <= alignof(std::max_align_t));
      const std::size_t size = count * sizeof(T);
      if (size <= kBytes && !std::exchange(block_->is_taken, true)) {
        return reinterpret_cast<T*>(block_->bytes.data());
      }
      return static_cast<T*>(::operator new(size));
    }
    void deallocate(T* memory, std::size_t) {
      if (static_cast<void*>(memory) == block_->bytes.data()) {
        block_->is_taken = false;
      } else {
        ::operator delete(memory);
      }
    }
    template <class U>
    bool operator==(const Allocator<U>& other) const {
      return block_ == other.block_;
    }

   private:
    template <class U>
    friend class Allocator;
    std::shared_ptr<Block> block_;
  };

  std::shared_ptr<Block> block_ = std::make_shared<Block>();
};

}  // namespace wsproxy::net
