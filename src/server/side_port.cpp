#include "server/side_port.hpp"

#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <system_error>

namespace wsproxy::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kMaxHeadBytes = 8 * 1024;
constexpr std::uint64_t kMaxBodyBytes = 64 * 1024;
constexpr std::size_t kReadBufferBytes = 16 * 1024;  // holds a head and what was pipelined behind it
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr unsigned kHttp10 = 10;
constexpr unsigned kHttp11 = 11;

/// What all connections share; outlives them. Touched by the side port's thread only.
struct Shared {
  SidePort::Handler handler;
  SidePortLimits limits;
  std::size_t connections = 0;
};

struct Target {
  std::string_view path;
  std::string_view query;
};

/// RFC 9112 section 3.2: the origin form, or the absolute form without its scheme and authority.
Target split_target(std::string_view target) {
  const auto mark = target.find('?');
  auto path = target.substr(0, mark);
  const auto query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  if (!path.starts_with('/')) {
    const auto scheme_end = path.find("://");
    if (scheme_end != std::string_view::npos) {
      const auto begin = path.find('/', scheme_end + 3);
      path = begin == std::string_view::npos ? "/" : path.substr(begin);
    }
  }
  return {path, query};
}

SideAnswer plain_answer(http::status status) {
  return {static_cast<unsigned>(status), "text/plain; charset=utf-8",
          std::string{http::obsolete_reason(status)} + "\n"};
}

http::status status_for_unreadable(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return http::status::request_header_fields_too_large;
  }
  if (error == http::error::body_limit) return http::status::payload_too_large;
  return http::status::bad_request;
}

/// One client: read a request, answer it, again. Each pending operation holds a reference; the
/// stream's deadline ends the operation and thereby the connection.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    ++shared_.connections;
  }
  ~Connection() { --shared_.connections; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void read_request() {
    parser_.emplace();
    parser_->header_limit(kMaxHeadBytes);
    parser_->body_limit(kMaxBodyBytes);
    stream_.expires_after(shared_.limits.request);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      error ? self->on_unreadable(error) : self->on_request();
    });
  }

 private:
  void on_unreadable(const error_code& error) {
    // A peer that left, was cut or took too long has nothing to be told.
    if (error.category() != http::make_error_code(http::error::bad_method).category()) return;
    if (error == http::error::end_of_stream || error == http::error::partial_message) return;
    send(plain_answer(status_for_unreadable(error)), false);
  }

  void on_request() {
    const auto& request = parser_->get();
    const bool lacks_host = request.version() == kHttp11 && request.count(http::field::host) != 1;
    if (lacks_host) {  // RFC 9112 section 3.2
      send(plain_answer(http::status::bad_request), false);
    } else {
      send(answer_to(request), request.keep_alive());
    }
  }

  SideAnswer answer_to(const http::request<http::string_body>& request) const {
    const auto method = request.method();
    if (method != http::verb::get && method != http::verb::head && method != http::verb::post) {
      return plain_answer(http::status::method_not_allowed);
    }
    const auto [path, query] = split_target({request.target().data(), request.target().size()});
    try {
      return shared_.handler(method == http::verb::post ? "POST" : "GET", path, query);
    } catch (...) {
      return plain_answer(http::status::internal_server_error);
    }
  }

  void send(SideAnswer answer, bool keep_alive) {
    response_.emplace();
    response_->version(parser_->get().version() == kHttp10 ? kHttp10 : kHttp11);
    response_->result(answer.status);
    response_->set(http::field::content_type, answer.content_type);
    response_->set(http::field::cache_control, "no-store");
    response_->set("X-Content-Type-Options", "nosniff");
    if (response_->result() == http::status::method_not_allowed)
      response_->set(http::field::allow, "GET, HEAD, POST");
    response_->body() = std::move(answer.body);
    response_->keep_alive(keep_alive);
    response_->prepare_payload();
    write_response(parser_->get().method() == http::verb::head);
  }

  void write_response(bool head_only) {
    serializer_.emplace(*response_);
    stream_.expires_after(shared_.limits.request);
    auto on_written = [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->on_answered();
    };
    if (head_only) {
      http::async_write_header(stream_, *serializer_, std::move(on_written));
    } else {
      http::async_write(stream_, *serializer_, std::move(on_written));
    }
  }

  void on_answered() {
    if (response_->keep_alive()) {
      read_request();
      return;
    }
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    discard_rest();
  }

  /// Closing while bytes of the peer are unread would reset the connection, and the answer with it.
  void discard_rest() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadBufferBytes),
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (!error) self->discard_rest();
                            });
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_{kReadBufferBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
};

}  // namespace

class SidePort::Server {
 public:
  Server(const std::string& host, std::uint16_t port, Handler handler, SidePortLimits limits)
      : shared_{std::move(handler), limits}, acceptor_(io_), accept_pause_(io_) {
    try {
      listen(host, port);
    } catch (const boost::system::system_error& failure) {
      throw std::system_error(failure.code(),
                              "side port: cannot listen on " + host + " port " + std::to_string(port));
    }
    accept();
    thread_ = std::thread([this] { run(); });
  }

  ~Server() {
    io_.stop();
    thread_.join();
  }

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void listen(const std::string& host, std::uint16_t port) {
    const tcp::endpoint endpoint =
        tcp::resolver(io_).resolve(host, std::to_string(port), tcp::resolver::passive).begin()->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
  }

  void run() {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception&) {
        // Out of memory in one connection, which its handler took along; the others go on.
      }
    }
  }

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) {
        pause_accepting();
        return;
      }
      accept();
      if (shared_.connections < shared_.limits.connections) start(std::move(socket));
    });
  }

  void start(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<Connection>(std::move(socket), shared_)->read_request();
  }

  /// Out of descriptors: trying again at once would only spin.
  void pause_accepting() {
    accept_pause_.expires_after(kAcceptPause);
    accept_pause_.async_wait([this](error_code error) {
      if (!error) accept();
    });
  }

  Shared shared_;  // before io_, whose end destroys the connections
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer accept_pause_;
  std::thread thread_;
};

SidePort::SidePort(const std::string& host, std::uint16_t port, Handler handler, SidePortLimits limits)
    : server_(std::make_unique<Server>(host, port, std::move(handler), limits)) {
}

SidePort::~SidePort() = default;

std::uint16_t SidePort::port() const {
  return server_->port();
}

}  // namespace wsproxy::server
