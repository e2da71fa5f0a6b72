#pragma once

#include <cstddef>
#include <cstdint>

namespace wsproxy::deflate {

/// Finds out how far back it pays to refer on one connection (history: auto). A full history may double its
/// reach; when the longer one is full as well, a few messages are compressed with both, and the longer one
/// stays only if it saves enough for what it costs. Sixteen bytes.
class ReachTrial {
 public:
  /// Before the next message, whose history has `size` bytes and refers back `reach`: what to do.
  enum class Step : std::uint8_t { nothing, double_reach, sample };
  Step next(std::size_t size, std::size_t reach, std::size_t most) {
    if (wait_ > 0) {
      --wait_;
      return Step::nothing;
    }
    if (size < reach) return Step::nothing;
    if (is_on_) return Step::sample;
    if (reach * 2 > most) return Step::nothing;
    is_on_ = true;
    with_ = without_ = samples_ = 0;
    return Step::double_reach;
  }

  /// One message took so many bytes with the whole reach, and so many with the half of it. True when it
  /// is known now that the half is enough.
  bool sampled(std::size_t with, std::size_t without, std::size_t reach) {
    with_ += static_cast<std::uint32_t>(with);
    without_ += static_cast<std::uint32_t>(without);
    if (++samples_ < kSamples) return false;
    is_on_ = false;
    const std::size_t saved = without_ > with_ ? without_ - with_ : 0;
    const bool pays =
        saved * 100 >= without_ * kLeastPercent && saved * 1024 >= kSamples * kBytesPerKilobyte * (reach / 2);
    wait_ = pays ? 0 : kWait;
    return !pays;
  }

 private:
  static constexpr unsigned kSamples = 4;
  static constexpr std::uint16_t kWait = 1000;  // messages until it is tried again
  // Priming with a KB costs about half a microsecond: it has to save a byte of each message, and some of all.
  static constexpr std::size_t kLeastPercent = 4;
  static constexpr std::size_t kBytesPerKilobyte = 1;

  std::uint32_t with_ = 0;
  std::uint32_t without_ = 0;
  std::uint16_t wait_ = 0;
  std::uint8_t samples_ = 0;
  bool is_on_ = false;
};

}  // namespace wsproxy::deflate
