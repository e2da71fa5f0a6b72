#include "handshake_load.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>

#include <sys/socket.h>

#include "handshake.hpp"

namespace bench {
namespace {

constexpr std::string_view kPath = "/echo";
constexpr char kCloseFrame = '\x88';

}  // namespace

void HandshakeLoad::connect() {
  agreement_ = Connection(options_.port, kPath, options_.offer()).agreement();
}

void HandshakeLoad::warm_up() {
  Result ignored;
  make(options_.warmup * places_.size(), ignored);
}

Result HandshakeLoad::run() {
  Result result;
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
      if (!place.is_open || !on_readable(place, result)) continue;
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
  place.socket = connect_to(options_.port);
  send_all(place.socket.get(), upgrade_request(kPath, options_.offer()));
  set_nonblocking(place.socket.get());
  poller_.add(place.socket.get(), index);
}

bool HandshakeLoad::on_readable(Place& place, Result& result) const {
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t size = recv(place.socket.get(), piece.data(), piece.size(), 0);
    if (size < 0 && errno == EAGAIN) return false;
    if (size < 0) throw std::runtime_error("a connection was reset");
    if (size == 0) break;
    place.came.append(piece.data(), static_cast<std::size_t>(size));
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
    send_all(place.socket.get(), close_frame());
  }
  if (!place.came.empty() && place.came.front() != kCloseFrame)
    throw std::runtime_error("something else than a close frame");
}

}  // namespace bench
