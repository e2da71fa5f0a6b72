#pragma once

#include <array>
#include <cstddef>

namespace wsproxy::telemetry {

/// Adds place by place, also in arrays of arrays.
template <typename T, std::size_t N>
void add(std::array<T, N>& to, const std::array<T, N>& from) {
  for (std::size_t i = 0; i < N; ++i) to[i] += from[i];
}

template <typename T, std::size_t N, std::size_t M>
void add(std::array<std::array<T, N>, M>& to, const std::array<std::array<T, N>, M>& from) {
  for (std::size_t i = 0; i < M; ++i) add(to[i], from[i]);
}

}  // namespace wsproxy::telemetry
