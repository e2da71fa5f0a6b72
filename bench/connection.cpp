#include "connection.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

#include <sys/epoll.h>

#include "handshake.hpp"

namespace bench {
namespace {

constexpr std::int64_t kPatienceNs = 10'000'000'000;

constexpr std::string_view kEndOfHead = "\r\n\r\n";

/// The answer to an upgrade, at least its whole head.
std::string read_answer(Channel& channel) {
  std::string bytes;
  std::array<char, 4096> piece{};
  while (bytes.find(kEndOfHead) == std::string::npos) {
    const std::size_t size = channel.receive(piece).value_or(0);
    if (size == 0) throw std::runtime_error("the connection ended during the handshake");
    bytes.append(piece.data(), size);
  }
  return bytes;
}

}  // namespace

Connection::Connection(const Endpoint& server, std::string_view path, std::string_view offer)
    : channel_(server) {
  channel_.shake_hands();
  channel_.send(upgrade_request(path, offer));
  const std::string answer = read_answer(channel_);
  agreement_ = read_agreement(check_upgraded(answer));
  if (!answer.ends_with(kEndOfHead)) throw std::runtime_error("bytes right after the handshake");
  if (agreement_.is_on) inflater_ = std::make_unique<Inflater>(agreement_);
  channel_.become_nonblocking();
}

void Connection::say_goodbye() {
  channel_.send(close_frame());
}

std::span<char> Connection::buffer() {
  static std::vector<char> bytes(256U << 10U);
  return bytes;
}

std::size_t Connection::receive() {
  const auto size = channel_.receive(buffer());
  if (size && *size == 0) throw std::runtime_error("the peer has closed the connection");
  return size.value_or(0);
}

std::optional<std::string_view> Connection::take(const FrameHead& head, std::string_view payload) {
  if (head.is_masked) throw std::runtime_error("a masked frame from the server");
  if (is_control(head.opcode)) {
    answer_control(head, payload);
    return std::nullopt;
  }
  const bool is_start = head.opcode != Opcode::continuation;
  if (is_start == message_is_open_) throw std::runtime_error("fragments out of order");
  if (is_start) {
    message_opcode_ = head.opcode;
    message_is_compressed_ = head.is_compressed;
    if (message_is_compressed_ && !inflater_) throw std::runtime_error("RSV1 without an agreement");
  }
  message_is_open_ = !head.is_final;
  // The common case, a message in one frame, is not copied.
  const bool is_whole = is_start && head.is_final;
  if (!is_whole) {
    if (is_start) fragments_.clear();
    fragments_ += payload;
  }
  if (!head.is_final) return std::nullopt;
  const std::string_view message = is_whole ? payload : std::string_view(fragments_);
  if (!message_is_compressed_) return message;
  text_.clear();
  inflater_->message(message, text_);
  return text_;
}

void Connection::answer_control(const FrameHead& head, std::string_view payload) {
  if (head.opcode == Opcode::close) {
    const auto at = [&](std::size_t i) {
      return static_cast<unsigned>(static_cast<unsigned char>(payload[i]));
    };
    const unsigned code = payload.size() < 2 ? 1005U : at(0) << 8U | at(1);
    throw std::runtime_error("the peer closes with " + std::to_string(code));
  }
  if (head.opcode != Opcode::ping) return;
  FrameHead pong;
  pong.opcode = Opcode::pong;
  pong.is_masked = true;
  std::string frame;
  append_frame(frame, pong, payload);
  channel_.send(frame);
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
}

void Poller::add(int socket, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = tag;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event);
}

std::span<const Poller::Event> Poller::wait(std::int64_t deadline_ns) {
  std::array<epoll_event, 256> ready{};
  const std::int64_t wait_ns =
      deadline_ns == 0 ? kPatienceNs : std::clamp<std::int64_t>(deadline_ns - now_ns(), 0, kPatienceNs);
  const timespec timeout{wait_ns / 1'000'000'000, wait_ns % 1'000'000'000};
  const int count =
      epoll_pwait2(epoll_.get(), ready.data(), static_cast<int>(ready.size()), &timeout, nullptr);
  if (count == 0 && deadline_ns == 0) throw std::runtime_error("no answer for ten seconds");
  events_.clear();
  for (int i = 0; i < count; ++i) {
    const auto& event = ready[static_cast<std::size_t>(i)];
    events_.push_back({event.data.u64, (event.events & EPOLLOUT) != 0});
  }
  return events_;
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace bench
