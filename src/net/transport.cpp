#include "net/transport.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

namespace wsproxy::net {

namespace {

IoResult judge(std::size_t bytes, const error_code& error) {
  if (!error) return {IoStatus::done, bytes, {}};
  if (error == asio::error::would_block || error == asio::error::try_again ||
      error == asio::error::interrupted) {
    return {IoStatus::would_block, 0, {}};
  }
  if (error == asio::error::eof) return {IoStatus::end_of_file, 0, error};
  return {IoStatus::failed, 0, error};
}

}  // namespace

Transport::Transport(Socket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.non_blocking(true, ignored);
  // Not for unix sockets, which answer with an error: every write is a whole batch already, so there
  // is nothing for Nagle's algorithm to gather.
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

IoResult Transport::read_some(base::MutableBytes into) {
  error_code error;
  const std::size_t bytes = socket_.read_some(asio::buffer(into.data(), into.size()), error);
  return judge(bytes, error);
}

IoResult Transport::write_some(base::Bytes from) {
  error_code error;
  const std::size_t bytes = socket_.write_some(asio::buffer(from.data(), from.size()), error);
  return judge(bytes, error);
}

void Transport::shut_down_send() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Transport::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Transport::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

}  // namespace wsproxy::net
