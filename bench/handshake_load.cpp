#include "handshake_load.hpp"

#include <array>
#include <stdexcept>

#include "handshake.hpp"

namespace bench {
namespace {

constexpr std::string_view kPath = "/echo";
constexpr char kCloseFrame = '\x88';

}  // namespace

void HandshakeLoad::connect() {
  const Connection first(options_.server, kPath, options_.offer());
  agreement_ = first.agreement();
  tls_ = first.channel().tls_description();
}

void HandshakeLoad::warm_up() {
  Result ignored;
  make(options_.warmup * places_.size(), ignored);
}

Result HandshakeLoad::run() {
  Result result;
  result.tls = tls_;
  const std::int64_t start = now_ns();
  make(options_.messages * places_.size(), result);
  result.seconds = static_cast<double>(now_ns() - start) * 1e-9;
  return result;
}

void HandshakeLoad::make(std::size_t handshakes, Result& result) {
  std::size_t begun = 0;
  for (; begun < handshakes && begun < places_.size(); ++begun) open(begun);
  for (std::size_t ended = 0; ended < handshakes;) {
    for (const auto& event : poller_.wait()) {
      Place& place = places_[event.tag];
      if (!place.is_open || !advance(place, result)) continue;
      place = {};
      ++ended;
      if (begun < handshakes) {
        open(event.tag);
        ++begun;
      }
    }
  }
}

void HandshakeLoad::open(std::size_t index) {
  Place& place = places_[index];
  place.begun_ns = now_ns();
  place.is_open = true;
  place.channel = Channel(options_.server);
  place.channel.become_nonblocking();
  secure(place);
  poller_.add(place.channel.socket(), index);
}

void HandshakeLoad::secure(Place& place) const {
  if (!place.channel.shake_hands()) return;
  place.is_secured = true;
  place.channel.send(upgrade_request(kPath, options_.offer()));
}

bool HandshakeLoad::advance(Place& place, Result& result) const {
  if (!place.is_secured) secure(place);
  if (!place.is_secured) return false;
  std::array<char, 4096> piece{};
  for (;;) {
    const auto size = place.channel.receive(piece);
    if (!size) return false;
    if (*size == 0) break;
    place.came.append(piece.data(), *size);
    judge(place, result);
  }
  if (!place.is_upgraded || place.came.empty()) throw std::runtime_error("no close frame at the end");
  return true;
}

void HandshakeLoad::judge(Place& place, Result& result) const {
  if (!place.is_upgraded) {
    const auto end = place.came.find("\r\n\r\n");
    if (end == std::string::npos) return;
    if (read_agreement(check_upgraded(std::string_view(place.came).substr(0, end + 2))) != agreement_)
      throw std::runtime_error("two connections with different agreements");
    result.latencies_ns.push_back(now_ns() - place.begun_ns);
    ++result.messages;
    place.is_upgraded = true;
    place.came.erase(0, end + 4);
    place.channel.send(close_frame());
  }
  if (!place.came.empty() && place.came.front() != kCloseFrame)
    throw std::runtime_error("something else than a close frame");
}

}  // namespace bench
