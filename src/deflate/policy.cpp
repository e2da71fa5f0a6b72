#include "deflate/policy.hpp"

#include <bitset>

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kSamples = 128;
constexpr std::size_t kMinSampledSize = 256;
constexpr std::size_t kRandomLooking = 78;  // distinct values among the samples

constexpr std::uint8_t kPoorInARow = 8;
constexpr std::uint8_t kProbeEvery = 16;

}  // namespace

bool looks_incompressible(base::Bytes text) {
  if (text.size() < kMinSampledSize) return false;
  // An even stride would see only one byte lane of an array of integers. Rounded down, so that the
  // last sample is still inside.
  const std::size_t widest = (text.size() - 1) / (kSamples - 1);
  const std::size_t stride = widest % 2 == 0 ? widest - 1 : widest;
  std::bitset<256> seen;
  for (std::size_t i = 0; i < kSamples; ++i) seen.set(std::to_integer<std::size_t>(text[i * stride]));
  return seen.count() >= kRandomLooking;
}

Bypass CompressionPolicy::decide(base::Bytes text, std::uint64_t size) {
  if (size < min_size_) return Bypass::too_small;
  if (!is_adaptive_) return Bypass::none;
  if (poor_in_a_row_ >= kPoorInARow) {
    if (++skipped_ < kProbeEvery) return Bypass::stream;
    skipped_ = 0;
  }
  return looks_incompressible(text) ? Bypass::incompressible : Bypass::none;
}

void CompressionPolicy::record(std::size_t input, std::size_t output) {
  const bool is_poor = output > input - input / 20;
  if (!is_poor) {
    poor_in_a_row_ = 0;
    skipped_ = 0;
  } else if (poor_in_a_row_ < kPoorInARow) {
    ++poor_in_a_row_;
  }
}

}  // namespace wsproxy::deflate
