#include "app_connection.hpp"

#include <cerrno>
#include <cstdio>
#include <vector>

#include <sys/socket.h>

#include "handshake.hpp"

namespace bench {
namespace {

std::string plain_answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

std::string counts_json(const AppState& state) {
  return "{\"handshakes\": " + std::to_string(state.handshakes) +
         ", \"extension_offers\": " + std::to_string(state.extension_offers) +
         ", \"frames\": " + std::to_string(state.frames) + ", \"faults\": " + std::to_string(state.faults) +
         "}\n";
}

std::string_view path_of(std::string_view head) {
  const auto start = head.find(' ') + 1;
  return head.substr(start, head.find(' ', start) - start);
}

}  // namespace

AppConnection::~AppConnection() {
  if (role_ == Role::member) state_.feeds[feed_].erase(member_);
}

bool AppConnection::on_readable() {
  static std::vector<char> buffer(256U << 10U);
  for (;;) {
    const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    if (!on_bytes(std::span(buffer).first(static_cast<std::size_t>(size)))) return false;
    if (static_cast<std::size_t>(size) < buffer.size()) return true;
  }
}

bool AppConnection::on_bytes(std::span<char> bytes) {
  out_.clear();
  std::string after_upgrade;
  if (role_ == Role::http) {
    requests_.append(bytes.data(), bytes.size());
    answer_requests();
    if (role_ == Role::http) return outbox_.send(socket_.get(), out_);
    after_upgrade.swap(requests_);
    bytes = after_upgrade;
  }
  reader_.feed(bytes, [this](const FrameHead& head, std::string_view payload) { on_frame(head, payload); });
  return outbox_.send(socket_.get(), out_) && !is_closing_;
}

void AppConnection::answer_requests() {
  for (auto end = requests_.find("\r\n\r\n"); end != std::string::npos && role_ == Role::http;
       end = requests_.find("\r\n\r\n")) {
    answer(std::string_view(requests_).substr(0, end + 2));
    requests_.erase(0, end + 4);
  }
}

void AppConnection::answer(std::string_view head) {
  static const std::string kilobyte = plain_answer(std::string(1024, 'x'));
  if (const auto key = header_value(head, "Sec-WebSocket-Key"))
    accept(head, *key);
  else if (path_of(head) == "/counts")
    out_ += plain_answer(counts_json(state_));
  else
    out_ += kilobyte;
}

void AppConnection::accept(std::string_view head, std::string_view key) {
  ++state_.handshakes;
  if (header_value(head, "Sec-WebSocket-Extensions")) ++state_.extension_offers;
  out_ += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  out_ += "Sec-WebSocket-Accept: " + accept_key(key) + "\r\n\r\n";
  take_role(path_of(head));
}

void AppConnection::take_role(std::string_view path) {
  role_ = Role::echo;
  const std::string text(path);
  if (std::sscanf(text.c_str(), "/feed/%u/%u", &feed_, &member_) == 2) {
    role_ = Role::member;
    state_.feeds[feed_][member_] = this;
  } else if (std::sscanf(text.c_str(), "/publish/%u", &feed_) == 1) {
    role_ = Role::publisher;
  }
}

void AppConnection::on_frame(const FrameHead& head, std::string_view payload) {
  ++state_.frames;
  if (head.is_compressed || !head.is_masked) {
    ++state_.faults;
    is_closing_ = true;
  } else if (role_ == Role::publisher && !is_control(head.opcode)) {
    publish(head, payload);
  } else {
    echo(head, payload);
  }
}

void AppConnection::echo(const FrameHead& head, std::string_view payload) {
  if (head.opcode == Opcode::pong) return;
  FrameHead answer;
  answer.is_final = head.is_final;
  answer.opcode = head.opcode == Opcode::ping ? Opcode::pong : head.opcode;
  append_frame(out_, answer, payload);
  if (head.opcode == Opcode::close) is_closing_ = true;
}

void AppConnection::publish(const FrameHead& head, std::string_view payload) const {
  const auto& members = state_.feeds[feed_];
  std::string frame;
  if (head.opcode == Opcode::text) {
    append_frame(frame, {}, payload);
    for (const auto& [number, member] : members) member->deliver(frame);
    return;
  }
  std::uint32_t number = 0;
  for (const char byte : payload.substr(0, 4)) number = number << 8U | static_cast<unsigned char>(byte);
  const auto member = members.find(number);
  if (member == members.end()) return;
  append_frame(frame, {}, payload.substr(4));
  member->second->deliver(frame);
}

void AppConnection::deliver(std::string_view frame) {
  // A member that has gone is found out by its own read event.
  (void)outbox_.send(socket_.get(), frame);
}

}  // namespace bench
