#include "support/manual_date.hpp"

#include <atomic>
#include <ctime>

namespace {

std::atomic<std::time_t> offset{0};

}  // namespace

extern "C" std::time_t time(std::time_t* result) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::time_t told = now.tv_sec + offset;
  if (result != nullptr) *result = told;
  return told;
}

namespace wsproxy::test {

LaterDate::LaterDate(std::chrono::seconds by) {
  offset = by.count();
}

LaterDate::~LaterDate() {
  offset = 0;
}

}  // namespace wsproxy::test
