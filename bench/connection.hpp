#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "channel.hpp"
#include "deflate.hpp"
#include "frame.hpp"

namespace bench {

/// A client's end of a WebSocket. Everything that is wrong is thrown: a benchmark of wrong answers is
/// worth nothing.
class Connection {
 public:
  /// Connects and shakes hands; the socket is non-blocking afterwards.
  Connection(const Endpoint& server, std::string_view path, std::string_view offer);

  const Channel& channel() const { return channel_; }
  const Agreement& agreement() const { return agreement_; }

  void send(std::string_view frame) { channel_.send(frame); }
  void flush() { channel_.flush(); }
  /// Reads what is there and calls on_message(opcode, text) for each whole message.
  template <class OnMessage>
  void read(OnMessage&& on_message) {
    while (const std::size_t size = receive()) {
      reader_.feed(buffer().first(size), [&](const FrameHead& head, std::string_view payload) {
        if (const auto text = take(head, payload)) on_message(message_opcode_, *text);
      });
      if (!channel_.is_tls() && size < buffer().size()) return;
    }
  }
  void say_goodbye();

 private:
  static std::span<char> buffer();
  std::size_t receive();
  /// The message that this frame completes.
  std::optional<std::string_view> take(const FrameHead& head, std::string_view payload);
  void answer_control(const FrameHead& head, std::string_view payload);

  Channel channel_;
  Agreement agreement_;
  std::unique_ptr<Inflater> inflater_;
  FrameReader reader_;
  Opcode message_opcode_ = Opcode::continuation;
  bool message_is_compressed_ = false;
  bool message_is_open_ = false;
  std::string fragments_;
  std::string text_;
};

/// Waits for sockets of several connections, edge-triggered.
class Poller {
 public:
  Poller();
  void add(int socket, std::uint64_t tag);
  struct Event {
    std::uint64_t tag;
    bool may_write;
  };
  /// The events of one wait, at most until the deadline on now_ns()'s clock; a deadline of 0 waits
  /// for events only. Throws when nothing happens for ten seconds.
  std::span<const Event> wait(std::int64_t deadline_ns = 0);

 private:
  Descriptor epoll_;
  std::vector<Event> events_;
};

std::int64_t now_ns();

}  // namespace bench
