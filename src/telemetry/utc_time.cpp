#include "telemetry/utc_time.hpp"

#include <concepts>
#include <cstddef>

namespace wsproxy::telemetry {
namespace {

class Digits {
 public:
  void put(std::integral auto number, std::size_t width) {
    for (std::size_t i = at_ + width; i > at_; --i, number /= 10) {
      text[i - 1] = static_cast<char>('0' + number % 10);
    }
    at_ += width;
  }
  void put(char c) { text[at_++] = c; }

  std::array<char, 24> text{};

 private:
  std::size_t at_ = 0;
};

}  // namespace

std::array<char, 24> utc_text(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<milliseconds>(time - day)};
  Digits out;
  out.put(static_cast<int>(date.year()), 4);
  out.put('-');
  out.put(static_cast<unsigned>(date.month()), 2);
  out.put('-');
  out.put(static_cast<unsigned>(date.day()), 2);
  out.put('T');
  out.put(clock.hours().count(), 2);
  out.put(':');
  out.put(clock.minutes().count(), 2);
  out.put(':');
  out.put(clock.seconds().count(), 2);
  out.put('.');
  out.put(clock.subseconds().count(), 3);
  out.put('Z');
  return out.text;
}

}  // namespace wsproxy::telemetry
