#include "storm.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <sched.h>

namespace bench {
namespace {

// A server that does not keep up with the rate has that many to do; the others are late, and the figure shows
// it.
constexpr std::size_t kPlaces = 256;
constexpr std::int64_t kLookNs = 5'000'000;

// A client's half of a handshake is a good part of a millisecond of CPU, which no message may wait for.
void let_others_go_first() {
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
}

}  // namespace

Storm::Storm(const Endpoint& server, double handshakes_a_second)
    : server_(server), gap_ns_(1e9 / handshakes_a_second), places_(kPlaces), free_(kPlaces) {
  std::iota(free_.begin(), free_.end(), 0);
  thread_ = std::thread([this] { run(); });
}

Storm::~Storm() {
  is_over_ = true;
  if (thread_.joinable()) thread_.join();
}

std::uint64_t Storm::end() {
  is_over_ = true;
  thread_.join();
  if (fault_) std::rethrow_exception(fault_);
  return made_;
}

void Storm::run() {
  let_others_go_first();
  try {
    make();
  } catch (...) {
    fault_ = std::current_exception();
  }
}

void Storm::make() {
  const std::int64_t start = now_ns();
  std::size_t begun = 0;
  const auto due = [&] { return start + static_cast<std::int64_t>(static_cast<double>(begun) * gap_ns_); };
  while (!is_over_) {
    for (; due() <= now_ns() && !free_.empty(); ++begun) {
      Place& place = places_[free_.back()];
      place.channel = Channel(server_);
      place.channel.become_nonblocking();
      place.channel.shake_hands();
      poller_.add(place.channel.socket(), free_.back());
      free_.pop_back();
    }
    const std::int64_t look = now_ns() + kLookNs;
    for (const auto& event : poller_.wait(free_.empty() ? look : std::min(due(), look))) {
      Place& place = places_[event.tag];
      if (place.channel.socket() < 0 || !advance(place)) continue;
      place = {};
      free_.push_back(event.tag);
      ++made_;
    }
  }
}

bool Storm::advance(Place& place) {
  if (!place.is_secured) {
    if (!place.channel.shake_hands()) return false;
    place.is_secured = true;
    place.channel.end_sending();
  }
  std::array<char, 256> piece{};
  while (const auto size = place.channel.receive(piece))
    if (*size == 0) return true;
  return false;
}

}  // namespace bench
