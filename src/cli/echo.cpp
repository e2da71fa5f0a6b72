#include "cli/echo.hpp"

#include <csignal>
#include <iostream>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace wsproxy::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using beast::error_code;

constexpr std::size_t kMaxMessage = 64 * 1024 * 1024;
constexpr std::uint32_t kMaxHead = 64 * 1024;
constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::size_t kKeptBuffer = 64 * 1024;

std::string field_or_none(const http::request<http::empty_body>& request, http::field name) {
  const auto value = request[name];
  return value.empty() ? "none" : std::string{value};
}

/// The first of a list, since many clients insist on one of those that they offered.
std::string first_subprotocol(const http::request<http::empty_body>& request) {
  const std::string list{request[http::field::sec_websocket_protocol]};
  const std::size_t begin = list.find_first_not_of(" \t,");
  if (begin == std::string::npos) return {};
  return list.substr(begin, list.find_first_of(" \t,", begin) - begin);
}

/// One client. Lives as long as an operation of it is pending.
class EchoConnection : public std::enable_shared_from_this<EchoConnection> {
 public:
  explicit EchoConnection(tcp::socket socket) : stream_(std::move(socket)) {
    request_.header_limit(kMaxHead);
  }

  void start() {
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay{true}, ignored);
    // The request is read here and not by async_accept(), so that we see its fields.
    http::async_read(stream_.next_layer(), buffer_, request_,
                     [self = shared_from_this()](error_code error, std::size_t) {
                       if (!error) self->accept();
                     });
  }

 private:
  void accept() {
    const auto& request = request_.get();
    buffer_.clear();  // a client may send nothing before our answer
    stream_.set_option(
        websocket::stream_base::timeout{std::chrono::seconds{30}, websocket::stream_base::none(), false});
    stream_.set_option(websocket::stream_base::decorator(
        [subprotocol = first_subprotocol(request)](websocket::response_type& response) {
          response.set(http::field::server, "wsproxy-echo");
          if (!subprotocol.empty()) response.set(http::field::sec_websocket_protocol, subprotocol);
        }));
    stream_.read_message_max(kMaxMessage);
    stream_.auto_fragment(false);
    stream_.async_accept(request, [self = shared_from_this()](error_code error) {
      if (error) return;
      self->announce();
      self->read();
    });
  }

  void announce() const {
    const auto& request = request_.get();
    std::cerr << "echo: " << request.target() << " opened, Sec-WebSocket-Extensions: "
              << field_or_none(request, http::field::sec_websocket_extensions) << std::endl;
  }

  /// By pieces of our size: async_read() would begin with 1536 bytes.
  void read() {
    stream_.async_read_some(buffer_, kReadSize, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      if (self->stream_.is_message_done()) {
        self->answer();
      } else {
        self->read();
      }
    });
  }

  void answer() {
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(), [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      self->buffer_.clear();
      if (self->buffer_.capacity() > kKeptBuffer) self->buffer_.shrink_to_fit();
      self->read();
    });
  }

  websocket::stream<beast::tcp_stream, false> stream_;  // false: permessage-deflate is not even compiled in
  http::request_parser<http::empty_body> request_;
  beast::flat_buffer buffer_;
};

class EchoServer {
 public:
  explicit EchoServer(asio::io_context& io) : acceptor_(io), retry_(io) {}

  error_code listen(const tcp::endpoint& at) {
    error_code error;
    acceptor_.open(at.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    return error;
  }

  tcp::endpoint address() const { return acceptor_.local_endpoint(); }

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later();
      std::make_shared<EchoConnection>(std::move(socket))->start();
      accept();
    });
  }

 private:
  /// Out of descriptors, most likely: trying at once would only spin.
  void accept_later() {
    retry_.expires_after(std::chrono::milliseconds{100});
    retry_.async_wait([this](error_code error) {
      if (!error) accept();
    });
  }

  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
};

int fail(const std::string& what, const error_code& error) {
  std::cerr << "wsproxy echo: " << what << ": " << error.message() << std::endl;
  return 1;
}

}  // namespace

int echo(const std::string& host, std::uint16_t port) {
  asio::io_context io{1};
  const std::string wanted = host + ":" + std::to_string(port);
  error_code error;
  const auto found = tcp::resolver{io}.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error) return fail("cannot resolve " + host, error);

  EchoServer server{io};
  if (error = server.listen(*found.begin()); error) return fail("cannot listen on " + wanted, error);
  server.accept();
  asio::signal_set signals{io, SIGTERM, SIGINT};
  signals.async_wait([&io](error_code stopped, int) {
    if (!stopped) io.stop();
  });
  std::cerr << "echo: listening on " << server.address() << std::endl;
  io.run();
  return 0;
}

}  // namespace wsproxy::cli
