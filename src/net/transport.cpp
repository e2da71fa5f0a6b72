#include "net/transport.hpp"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace wsproxy::net {

namespace {

IoResult judge_errno() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {IoStatus::would_block, 0, {}};
  return {IoStatus::failed, 0, error_code{errno, boost::system::system_category()}};
}

}  // namespace

Transport::Transport(Poller& poller, Descriptor socket, OnReady on_ready)
    : poller_(poller), socket_(std::move(socket)), on_ready_(std::move(on_ready)) {
  // Not for unix sockets, which answer with an error: every write is a whole batch already, so there
  // is nothing for Nagle's algorithm to gather.
  const int on = 1;
  ::setsockopt(socket_.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (poller_.add(socket_.number(), *this)) {
    ::shutdown(socket_.number(), SHUT_RDWR);
    may_read_ = true;
  }
}

Transport::Transport(Poller& poller, Descriptor socket, Connecting) : Transport(poller, std::move(socket)) {
  if (may_read_) {  // cannot be watched
    has_hung_up_ = true;
  } else {
    may_write_ = false;
  }
}

Transport::~Transport() {
  if (fate_ != nullptr) *fate_ = Fate::destroyed;
  close();
}

error_code Transport::connect_error() const {
  if (!has_hung_up_) return {};
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return {error, boost::system::system_category()};
}

void Transport::set_on_ready(OnReady on_ready) {
  if (fate_ != nullptr) *fate_ = Fate::handed_over;
  on_ready_ = std::move(on_ready);
  waits_readable_ = false;
  waits_writable_ = false;
}

IoResult Transport::read_some(base::MutableBytes into) {
  const ssize_t got = ::recv(socket_.number(), into.data(), into.size(), MSG_DONTWAIT);
  if (got < 0) {
    const IoResult result = judge_errno();
    if (errno != EINTR && result.status == IoStatus::would_block) may_read_ = false;
    return result;
  }
  if (got == 0) return {IoStatus::end_of_file, 0, asio::error::eof};
  const auto bytes = static_cast<std::size_t>(got);
  // Less than asked for is all there was (epoll(7)); the next byte is a new edge. But not the end of file
  // that had been reported already. (A recv() also stops at an urgent mark; whoever sends one waits for
  // the edge of his next segment.)
  if (bytes < into.size() && !has_hung_up_) may_read_ = false;
  return {IoStatus::done, bytes, {}};
}

IoResult Transport::write_some(base::Bytes from) {
  const ssize_t put = ::send(socket_.number(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0) {
    const IoResult result = judge_errno();
    if (errno != EINTR && result.status == IoStatus::would_block) may_write_ = false;
    return result;
  }
  return {IoStatus::done, static_cast<std::size_t>(put), {}};
}

void Transport::wait_readable() {
  waits_readable_ = true;
  if (may_read_) poller_.call_soon(*this);
}

void Transport::wait_writable() {
  waits_writable_ = true;
  if (may_write_) poller_.call_soon(*this);
}

void Transport::on_events(Poller::Events events) {
  constexpr Poller::Events kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kEnds) != 0) has_hung_up_ = true;
  if ((events & (EPOLLIN | kEnds)) != 0) may_read_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) may_write_ = true;
  if (may_write_ && std::exchange(waits_writable_, false) && !tell(Ready::writing)) return;
  if (is_open() && may_read_ && std::exchange(waits_readable_, false)) tell(Ready::reading);
}

/// The OnReady is not called in its place: it may hand the transport over to somebody else, or destroy it.
struct Transport::Telling {
  explicit Telling(Transport& transport)
      : self(transport), call(std::exchange(transport.on_ready_, nullptr)) {
    self.fate_ = &fate;
  }
  ~Telling() {
    if (fate == Fate::destroyed) return;
    self.fate_ = nullptr;
    if (fate == Fate::same) self.on_ready_ = std::move(call);
  }
  Transport& self;
  OnReady call;
  Fate fate = Fate::same;
};

bool Transport::tell(Ready ready) {
  Telling telling{*this};
  telling.call(ready);
  return telling.fate != Fate::destroyed;
}

void Transport::shut_down_send() {
  ::shutdown(socket_.number(), SHUT_WR);
}

Target Transport::local() const {
  Protocol::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::getsockname(socket_.number(), local.data(), &size) != 0) return {};
  local.resize(size);
  return target_of(local);
}

void Transport::close() {
  if (!is_open()) return;
  poller_.remove(socket_.number(), *this);
  socket_.close();
}

void Transport::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

}  // namespace wsproxy::net
