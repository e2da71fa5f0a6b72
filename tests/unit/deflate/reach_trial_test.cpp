#include "deflate/reach_trial.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::deflate {
namespace {

using Step = ReachTrial::Step;

/// Runs a trial at `reach` to its end; whether the half was enough.
bool ends_with_half(ReachTrial& trial, std::size_t with, std::size_t without, std::size_t reach) {
  for (int i = 0; i < 3; ++i) CHECK_FALSE(trial.sampled(with, without, reach));
  return trial.sampled(with, without, reach);
}

TEST_CASE("A history that is not full is left alone") {
  ReachTrial trial;
  CHECK(trial.next(4095, 4096, 32768) == Step::nothing);
}

TEST_CASE("A full history doubles its reach, and is sampled when that is full too") {
  ReachTrial trial;
  CHECK(trial.next(4096, 4096, 32768) == Step::double_reach);
  CHECK(trial.next(5000, 8192, 32768) == Step::nothing);
  CHECK(trial.next(8192, 8192, 32768) == Step::sample);
}

TEST_CASE("The reach never exceeds the most that is allowed") {
  ReachTrial trial;
  CHECK(trial.next(4096, 4096, 8191) == Step::nothing);
  CHECK(trial.next(4096, 4096, 8192) == Step::double_reach);
}

TEST_CASE("A longer reach that saves enough stays, and the next doubling is tried at once") {
  ReachTrial trial;
  trial.next(4096, 4096, 32768);
  CHECK_FALSE(ends_with_half(trial, 75, 82, 8192));
  CHECK(trial.next(8192, 8192, 32768) == Step::double_reach);
}

TEST_CASE(
    "One that saves too small a part, or too little for what priming costs, is taken back for a while") {
  const auto saved = GENERATE(table<std::size_t, std::size_t, std::size_t>(
      {{980, 1000, 8192}, {71, 75, 16384}, {100, 100, 8192}, {110, 100, 8192}}));
  ReachTrial trial;
  trial.next(4096, 4096, 32768);
  CHECK(ends_with_half(trial, std::get<0>(saved), std::get<1>(saved), std::get<2>(saved)));
  int messages = 0;
  while (trial.next(4096, 4096, 32768) == Step::nothing) ++messages;
  CHECK(messages == 1000);
}

}  // namespace
}  // namespace wsproxy::deflate
