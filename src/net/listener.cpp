#include "net/listener.hpp"

#include <cerrno>
#include <unistd.h>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>

namespace wsproxy::net {

namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerEvent = 64;  // so that a storm of connections leaves room for signals and timers
constexpr auto kPause = std::chrono::milliseconds{100};

[[noreturn]] void refuse(const Target& target, const error_code& error) {
  throw std::system_error(std::error_code(error.value(), std::system_category()),
                          "cannot listen on " + text(target));
}

Protocol::endpoint resolve(IoContext& io, const Target& target) {
  if (!target.unix_path.empty()) return unix_endpoint(target.unix_path);
  error_code error;
  const auto address = asio::ip::make_address(target.host, error);
  if (!error) return Protocol::endpoint{asio::ip::tcp::endpoint{address, target.port}};
  asio::ip::tcp::resolver resolver(io);
  const auto found = resolver.resolve(target.host, std::to_string(target.port), error);
  if (error || found.empty()) {
    throw std::runtime_error("cannot listen on " + text(target) + ": the host cannot be resolved (" +
                             error.message() + ")");
  }
  return Protocol::endpoint{found.begin()->endpoint()};
}

/// A socket file is left behind by a process that was killed; one that still answers is in use.
void remove_stale(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  IoContext io;
  Socket probe(io.get_executor());
  error_code error;
  probe.connect(unix_endpoint(path), error);
  if (error == asio::error::connection_refused) ::unlink(path.c_str());
}

}  // namespace

Listener::Listener(IoContext& io, const Target& target, OnAccept on_accept, OnTrouble on_trouble)
    : acceptor_(io.get_executor()),
      pause_timer_(io.get_executor()),
      unix_path_(target.unix_path),
      on_accept_(std::move(on_accept)),
      on_trouble_(std::move(on_trouble)) {
  const Protocol::endpoint endpoint = resolve(io, target);
  if (!unix_path_.empty()) remove_stale(unix_path_);
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (error) refuse(target, error);
  if (unix_path_.empty()) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  acceptor_.bind(endpoint, error);
  if (error) refuse(target, error);
  if (!unix_path_.empty()) ::chmod(unix_path_.c_str(), 0660);
  acceptor_.listen(kBacklog, error);
  if (error) refuse(target, error);
  acceptor_.native_non_blocking(true, error);
  if (error) refuse(target, error);
}

Listener::~Listener() {
  stop();
}

void Listener::start() {
  wait();
}

void Listener::stop() {
  if (!acceptor_.is_open()) return;
  error_code ignored;
  acceptor_.close(ignored);
  pause_timer_.cancel();
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

void Listener::finish() {
  for (int i = 0; acceptor_.is_open() && i < kBacklog; ++i) {
    Protocol::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    const int descriptor = accept_one(peer, size);
    if (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (descriptor < 0) break;
    peer.resize(size);
    try {
      on_accept_(AcceptedSocket{Descriptor{descriptor}, peer});
    } catch (const std::exception&) {
      // Out of memory: it goes, the others and this listener's end do not.
    }
  }
  stop();
}

int Listener::accept_one(Protocol::endpoint& peer, socklen_t& size) {
  return ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

std::uint16_t Listener::port() const {
  error_code error;
  const Protocol::endpoint endpoint = acceptor_.local_endpoint(error);
  asio::ip::tcp::endpoint tcp;
  if (error || !unix_path_.empty()) return 0;
  std::memcpy(tcp.data(), endpoint.data(), std::min(endpoint.size(), tcp.capacity()));
  return tcp.port();
}

void Listener::wait() {
  acceptor_.async_wait(asio::socket_base::wait_read,
                       for_wait_.bind([this, life = std::weak_ptr{life_}](const error_code& error) {
                         if (!error && !life.expired() && acceptor_.is_open()) accept_all();
                       }));
}

void Listener::accept_all() {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    Protocol::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    const int descriptor = accept_one(peer, size);
    if (descriptor >= 0) {
      peer.resize(size);
      take(AcceptedSocket{Descriptor{descriptor}, peer});
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    const error_code trouble{errno, boost::system::system_category()};
    pause();  // before it is told, which may throw
    on_trouble_(trouble);
    return;
  }
  wait();
}

void Listener::take(AcceptedSocket socket) {
  try {
    on_accept_(std::move(socket));
  } catch (...) {
    wait();  // whatever became of this one, others will come
    throw;
  }
}

void Listener::pause() {
  pause_timer_.expires_after(kPause);
  pause_timer_.async_wait(for_pause_.bind([this, life = std::weak_ptr{life_}](const error_code& error) {
    if (!error && !life.expired() && acceptor_.is_open()) wait();
  }));
}

}  // namespace wsproxy::net
