#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/bytes.hpp"

namespace wsproxy::deflate {

/// The last 32 KB of a text, in one piece. Takes 64 KB, so that it is seldom moved.
class TrialText {
 public:
  static constexpr std::size_t kReach = 32 * 1024;
  static constexpr std::size_t kMemory = 2 * kReach;

  void append(base::Bytes text) {
    if (text.size() > kReach) text = text.last(kReach);
    if (end_ + text.size() > kMemory) {
      const std::size_t kept = std::min(end_, kReach - text.size());
      std::memmove(data_.get(), data_.get() + end_ - kept, kept);
      end_ = kept;
    }
    if (!text.empty()) std::memcpy(data_.get() + end_, text.data(), text.size());
    end_ += text.size();
  }
  std::size_t size() const { return std::min(end_, kReach); }
  /// The last `reach` bytes, or as many as there are.
  base::Bytes last(std::size_t reach) const {
    const std::size_t size = std::min({reach, end_, kReach});
    return {data_.get() + end_ - size, size};
  }

 private:
  std::unique_ptr<std::byte[]> data_ = std::make_unique_for_overwrite<std::byte[]>(kMemory);
  std::size_t end_ = 0;
};

}  // namespace wsproxy::deflate
