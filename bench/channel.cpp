#include "channel.hpp"

#include <cerrno>
#include <stdexcept>

#include <sys/socket.h>

namespace bench {

Channel::Channel(const Endpoint& endpoint) : socket_(connect_to(endpoint.port)) {
  if (endpoint.tls) session_ = endpoint.tls->session(socket_.get());
}

bool Channel::shake_hands() {
  if (!session_) return true;
  const int done = SSL_do_handshake(session_.get());
  if (done != 1) throw_unless_waiting(done);
  return done == 1;
}

void Channel::send(std::string_view bytes) {
  sent_bytes_ += bytes.size();
  const bool is_there = session_
                            ? outbox_.send_by([&](std::string_view some) { return encrypt(some); }, bytes)
                            : outbox_.send(socket_.get(), bytes);
  if (!is_there) throw std::runtime_error("the peer has gone while we sent");
}

void Channel::flush() {
  const bool is_there = session_ ? outbox_.flush_by([&](std::string_view some) { return encrypt(some); })
                                 : outbox_.flush(socket_.get());
  if (!is_there) throw std::runtime_error("the peer has gone while we sent");
}

std::optional<std::size_t> Channel::receive(std::span<char> buffer) {
  if (session_) return decrypt(buffer);
  for (;;) {
    const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      received_bytes_ += static_cast<std::size_t>(size);
      return static_cast<std::size_t>(size);
    }
    if (errno == EAGAIN) return std::nullopt;
    if (errno != EINTR) throw std::runtime_error("the connection was reset");
  }
}

void Channel::end_sending() {
  // 0: the peer's close_notify has not come yet.
  if (session_) SSL_shutdown(session_.get());
  shutdown(socket_.get(), SHUT_WR);
}

std::uint64_t Channel::received_bytes() const {
  return session_ ? BIO_number_read(SSL_get_rbio(session_.get())) : received_bytes_;
}

std::uint64_t Channel::sent_bytes() const {
  return session_ ? BIO_number_written(SSL_get_wbio(session_.get())) : sent_bytes_;
}

Taken Channel::encrypt(std::string_view bytes) {
  std::size_t size = 0;
  const int done = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &size);
  if (done == 1) return size;
  throw_unless_waiting(done);
  return 0;
}

std::optional<std::size_t> Channel::decrypt(std::span<char> buffer) {
  std::size_t size = 0;
  const int done = SSL_read_ex(session_.get(), buffer.data(), buffer.size(), &size);
  if (done == 1) return size;
  if (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) return 0;
  throw_unless_waiting(done);
  return std::nullopt;
}

void Channel::throw_unless_waiting(int returned) const {
  switch (SSL_get_error(session_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return;
    case SSL_ERROR_SYSCALL:
      throw std::runtime_error("the connection was reset under TLS");
    default:
      throw std::runtime_error("TLS: " + tls_problem());
  }
}

}  // namespace bench
