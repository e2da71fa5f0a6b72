#include "telemetry/line_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <string>
#include <unistd.h>

#include <climits>

namespace wsproxy::telemetry {

namespace {
constexpr int kPollMilliseconds = 100;  // how soon a waiting write notices a new deadline
}

void LineWriter::write(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty() && wait_until_writable()) {
    // A writable pipe has room for PIPE_BUF bytes; more could block.
    const auto written = ::write(fd_, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return;
    }
  }
}

void LineWriter::give_up_after(std::chrono::steady_clock::duration patience) {
  deadline_ = std::chrono::steady_clock::now() + patience;
}

bool LineWriter::wait_until_writable() const {
  for (;;) {
    pollfd wanted{fd_, POLLOUT, 0};
    if (::poll(&wanted, 1, kPollMilliseconds) > 0) return true;
    if (std::chrono::steady_clock::now() >= deadline_.load()) return false;
  }
}

}  // namespace wsproxy::telemetry
