#include "cli/stdin_lines.hpp"

#include <array>
#include <cerrno>
#include <thread>
#include <unistd.h>

#include <boost/asio/post.hpp>

namespace wsproxy::cli {
namespace {

/// read(2) and no stream: a stream's lock, held by a waiting thread, is in the way of exit().
std::size_t read_stdin(std::array<char, 4096>& to) {
  while (true) {
    const ssize_t size = ::read(STDIN_FILENO, to.data(), to.size());
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EINTR) return 0;
  }
}

template <typename OnLine>
void read_lines(OnLine on_line) {
  std::array<char, 4096> piece;
  std::string line;
  while (const std::size_t size = read_stdin(piece)) {
    for (const char c : std::string_view{piece.data(), size}) {
      if (c != '\n') {
        line += c;
        continue;
      }
      on_line(std::move(line));
      line.clear();
    }
  }
  if (!line.empty()) on_line(std::move(line));
}

}  // namespace

void StdinLines::start(std::shared_ptr<boost::asio::io_context> io, OnLine on_line) {
  std::thread{[room = room_, io = std::move(io), on_line = std::move(on_line)] {
    read_lines([&](std::string line) {
      room->acquire();
      boost::asio::post(*io, [on_line, line = std::move(line)]() mutable { on_line(std::move(line)); });
    });
    boost::asio::post(*io, [on_line] { on_line(std::nullopt); });
  }}.detach();
}

}  // namespace wsproxy::cli
