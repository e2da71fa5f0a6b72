#include "server/drain.hpp"

#include <algorithm>
#include <utility>

namespace wsproxy::server {

using telemetry::Level;

namespace {

constexpr auto kPollGone = std::chrono::milliseconds{20};
constexpr auto kBetweenLines = std::chrono::seconds{5};
/// What was cut goes with the next turn of its worker's loop.
constexpr auto kAfterCut = std::chrono::seconds{1};

double in_seconds(net::Clock::duration time) {
  return std::chrono::duration<double>(std::chrono::round<std::chrono::milliseconds>(time)).count();
}

}  // namespace

Drain::Drain(net::IoContext& io, telemetry::Log& log, Actions actions)
    : log_(log), actions_(std::move(actions)), timer_(io.get_executor()) {
}

void Drain::begin(const config::Drain& how, net::Clock::duration last_answer) {
  if (state_ != State::serving) return;
  how_ = how;
  last_answer_ = last_answer;
  began_ = net::Clock::now();
  ends_ = began_ + how.timeout;
  next_line_ = began_ + kBetweenLines;
  const std::size_t connections = actions_.connections();
  {
    const auto now = std::chrono::system_clock::now();
    const std::lock_guard lock{mutex_};
    progress_ = Progress{now, now + how.timeout, connections};
  }
  state_ = State::draining;
  log_.write(Level::info, "draining",
             {{"connections", std::uint64_t{connections}},
              {"delay_seconds", in_seconds(how.delay)},
              {"spread_seconds", in_seconds(how.spread)},
              {"timeout_seconds", in_seconds(how.timeout)}});
  watch();
}

void Drain::when_drained(OnDrained call) {
  if (state_ == State::drained) return call(outcome_);
  waiting_.push_back(std::move(call));
}

void Drain::close_all() {
  actions_.stop_accepting();
  to_close_ = actions_.connections();
  // The last close frame leaves early enough for its answer.
  const auto now = net::Clock::now();
  const auto latest = std::max(ends_ - last_answer_, now);
  actions_.close_connections(std::min<net::Clock::duration>(how_.spread, latest - now), latest);
  state_ = State::closing;
}

void Drain::watch() {
  const auto now = net::Clock::now();
  watch_at(now + kPollGone);  // first: whatever fails here is tried again
  if (state_ == State::draining && now >= std::min(began_ + how_.delay, ends_)) close_all();
  if (state_ == State::closing) {
    if (actions_.connections() == 0 || now >= ends_ + kAfterCut) return end();
    if (now >= ends_) cut_rest();
  }
  if (now >= next_line_) tell_progress(now);
  // Connections come and go by themselves until the delay is over; then the first to notice is this.
  const auto wake = state_ == State::draining ? std::min(began_ + how_.delay, next_line_) : now + kPollGone;
  watch_at(now < ends_ ? std::min<net::Clock::time_point>(wake, ends_) : wake);
}

void Drain::watch_at(net::Clock::time_point when) {
  timer_.expires_at(when);  // cancels the wait before
  timer_.async_wait([this](const net::error_code& error) {
    if (!error) watch();
  });
}

void Drain::cut_rest() {
  if (is_cut_) return;
  outcome_.cut = actions_.connections();
  log_.write(Level::warning, "drain.timeout is over: cutting what is left",
             {{"connections", std::uint64_t{outcome_.cut}}});
  actions_.cut_connections();
  is_cut_ = true;
}

void Drain::tell_progress(net::Clock::time_point now) {
  next_line_ = now + kBetweenLines;
  log_.write(Level::info, "still draining",
             {{"connections", std::uint64_t{actions_.connections()}}, {"seconds", in_seconds(now - began_)}});
}

void Drain::end() {
  outcome_.took = net::Clock::now() - began_;
  outcome_.closed = to_close_ - std::min(to_close_, outcome_.cut);
  state_ = State::drained;
  timer_.cancel();
  log_.write(Level::info, "drained",
             {{"closed", std::uint64_t{outcome_.closed}},
              {"cut", std::uint64_t{outcome_.cut}},
              {"seconds", in_seconds(outcome_.took)}});
  for (const OnDrained& call : std::exchange(waiting_, {})) call(outcome_);
}

std::optional<Drain::Progress> Drain::progress() const {
  const std::lock_guard lock{mutex_};
  return progress_;
}

std::string_view reason_not_to_come(Drain::State state) {
  switch (state) {
    case Drain::State::serving:
      return {};
    case Drain::State::draining:
    case Drain::State::closing:
      return "draining";
    case Drain::State::drained:
      break;
  }
  return "drained";
}

}  // namespace wsproxy::server
