#include "net/edge_socket.hpp"

#include <cerrno>
#include <linux/sockios.h>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace wsproxy::net {

namespace {

IoResult failed(int number) {
  return {IoStatus::failed, 0, error_code{number, boost::system::system_category()}};
}

IoResult judge_errno() {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoStatus::would_block, 0, {}};
  return failed(errno);
}

/// A signal on the way is not that there is nothing to do: no edge would follow.
template <class Call>
ssize_t uninterrupted(Call&& call) {
  ssize_t result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

EdgeSocket::EdgeSocket(Descriptor socket) : socket_(std::move(socket)) {
  // Not for unix sockets, which answer with an error: every write is a whole batch already, so there
  // is nothing for Nagle's algorithm to gather.
  const int on = 1;
  ::setsockopt(socket_.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

IoResult EdgeSocket::read_some(base::MutableBytes into) {
  const ssize_t got =
      uninterrupted([&] { return ::recv(socket_.number(), into.data(), into.size(), MSG_DONTWAIT); });
  if (got < 0) {
    const IoResult result = judge_errno();
    if (result.status == IoStatus::would_block) may_read_ = false;
    return result;
  }
  if (got == 0 && why_given_up_ != 0) return failed(why_given_up_);
  if (got == 0) return {IoStatus::end_of_file, 0, asio::error::eof};
  const auto bytes = static_cast<std::size_t>(got);
  // Less than asked for is all there was (epoll(7)); the next byte is a new edge. But not the end of file
  // that had been reported already. (A recv() also stops at an urgent mark; whoever sends one waits for
  // the edge of his next segment.)
  if (bytes < into.size() && !has_hung_up_) may_read_ = false;
  return {IoStatus::done, bytes, {}};
}

IoResult EdgeSocket::write_some(base::Bytes from) {
  const ssize_t put = uninterrupted(
      [&] { return ::send(socket_.number(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
  if (put < 0) {
    const IoResult result = judge_errno();
    if (result.status == IoStatus::would_block) may_write_ = false;
    // The peer's doing is an event as well; that the kernel has no memory (ENOBUFS) is none, and who waits to
    // read would never learn that something was lost. But EPIPE is of one direction only: the peer had ended
    // the other in order (its FIN came before its RST), and what it has said is whole.
    if (result.status == IoStatus::failed && result.error.value() != EPIPE) give_up(result.error);
    return result;
  }
  return {IoStatus::done, static_cast<std::size_t>(put), {}};
}

void EdgeSocket::note(Poller::Events events) {
  constexpr Poller::Events kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kEnds) != 0) has_hung_up_ = true;
  if ((events & (EPOLLIN | kEnds)) != 0) may_read_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) may_write_ = true;
}

void EdgeSocket::give_up(const error_code& why) {
  if (why_given_up_ == 0) why_given_up_ = why.value();
  ::shutdown(socket_.number(), SHUT_RDWR);
  may_read_ = true;
  has_hung_up_ = true;
}

error_code EdgeSocket::connect_error() const {
  if (!has_hung_up_) return {};
  if (why_given_up_ != 0) return {why_given_up_, boost::system::system_category()};
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return {error, boost::system::system_category()};
}

Target EdgeSocket::local() const {
  Protocol::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::getsockname(socket_.number(), local.data(), &size) != 0) return {};
  local.resize(size);
  return target_of(local);
}

std::uint32_t EdgeSocket::unacknowledged() const {
  int bytes = 0;
  if (::ioctl(socket_.number(), SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::uint32_t>(bytes);
}

void EdgeSocket::shut_down_send() {
  ::shutdown(socket_.number(), SHUT_WR);
}

void EdgeSocket::reset_on_close() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace wsproxy::net
