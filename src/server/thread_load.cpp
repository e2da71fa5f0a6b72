#include "server/thread_load.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

#include "base/ascii.hpp"

namespace wsproxy::server {

using std::chrono::nanoseconds;

namespace {

nanoseconds cpu_time() {
  timespec time{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return nanoseconds{0};
  return std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

}  // namespace

std::optional<nanoseconds> parse_schedstat(std::string_view text) {
  nanoseconds sum{0};
  for (int field = 0; field < 2; ++field) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto number = base::parse_decimal(text.substr(0, space));
    if (!number) return std::nullopt;
    sum += nanoseconds{static_cast<nanoseconds::rep>(*number)};
    text.remove_prefix(space + 1);
  }
  if (sum == nanoseconds{0}) return std::nullopt;  // it is not counted: a thread that asks has run
  return sum;
}

nanoseconds cpu_time_wanted() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::string line;
  if (std::getline(file, line)) {
    if (const auto wanted = parse_schedstat(line)) return *wanted;
  }
  return cpu_time();  // a kernel without scheduler statistics
}

double ThreadLoad::observe(nanoseconds wanted, net::Clock::time_point now) {
  const Reading reading{wanted, now};
  const Reading before = last_.value_or(reading);
  last_ = reading;
  const std::chrono::duration<double> passed = now - before.at;
  if (passed.count() <= 0) return 0;
  return std::clamp(std::chrono::duration<double>{wanted - before.wanted} / passed, 0.0, 1.0);
}

}  // namespace wsproxy::server
