#include "cli/connect.hpp"

#include <deque>
#include <iostream>
#include <memory>
#include <sstream>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "cli/stdin_lines.hpp"
#include "cli/transcript.hpp"
#include "cli/url.hpp"

namespace wsproxy::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ssl = asio::ssl;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using beast::error_code;

constexpr std::chrono::seconds kConnectTime{10};
constexpr std::chrono::seconds kHandshakeTime{20};
/// After the last line has been sent, this long without an answer ends the conversation.
constexpr std::chrono::seconds kQuietTime{1};
/// For the one message of a script, which wants to know whether there is an answer.
constexpr std::chrono::seconds kAnswerTime{10};

using PlainStream = beast::tcp_stream;
using TlsStream = ssl::stream<beast::tcp_stream>;

/// Whether there was an answer that the handshake failed over.
bool is_about_answer(const error_code& error) {
  return error.category() == error_code{websocket::error::upgrade_declined}.category();
}

/// RFC 6066 section 3: an address is no server name.
bool is_server_name(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return error.failed();
}

/// One conversation. Lives no longer than the context that it was made with.
template <typename Stream>
class Client : public std::enable_shared_from_this<Client<Stream>> {
 public:
  template <typename... StreamArguments>
  Client(const std::shared_ptr<asio::io_context>& io, const Url& url,
         const std::optional<std::string>& message, StreamArguments&&... arguments)
      : io_(io),
        url_(url),
        message_(message),
        resolver_(*io),
        quiet_(*io),
        stream_(*io, std::forward<StreamArguments>(arguments)...) {}

  void start() {
    resolver_.async_resolve(url_.host, url_.port,
                            [self = self()](error_code error, const tcp::resolver::results_type& found) {
                              if (error) return self->fail("cannot resolve " + self->url_.host, error);
                              self->connect(found);
                            });
  }

  int exit_code() const { return exit_code_; }

 private:
  std::shared_ptr<Client> self() { return this->shared_from_this(); }

  void connect(const tcp::resolver::results_type& found) {
    auto& lowest = beast::get_lowest_layer(stream_);
    lowest.expires_after(kConnectTime);
    lowest.async_connect(found, [self = self()](error_code error, const tcp::endpoint&) {
      if (error)
        return self->fail("cannot connect to " + self->url_.host + " port " + self->url_.port, error);
      self->secure();
    });
  }

  void secure() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      auto& tls = stream_.next_layer();
      tls.set_verify_callback(ssl::host_name_verification(url_.host));
      if (is_server_name(url_.host)) {  // not by OpenSSL's macro, which has a cast that we warn of
        SSL_ctrl(tls.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 url_.host.data());
      }
      tls.async_handshake(ssl::stream_base::client, [self = self()](error_code error) {
        if (error) return self->fail("no TLS with " + self->url_.host, error);
        self->open();
      });
    } else {
      open();
    }
  }

  void open() {
    beast::get_lowest_layer(stream_).expires_never();
    stream_.set_option(
        websocket::stream_base::timeout{kHandshakeTime, websocket::stream_base::none(), false});
    websocket::permessage_deflate deflate;
    deflate.client_enable = true;
    stream_.set_option(deflate);
    stream_.read_message_max(0);
    stream_.async_handshake(answer_, url_.authority, url_.target.empty() ? "/" : url_.target,
                            [self = self()](error_code error) { self->on_answer(error); });
  }

  void on_answer(error_code error) {
    if (!error || is_about_answer(error)) {
      std::ostringstream head;
      head << answer_.base();
      std::cout << head_lines(head.str()) << std::flush;
    }
    if (error == websocket::error::upgrade_declined) {
      std::cout << answer_.body() << std::flush;
      return finish(1);
    }
    if (error) return fail("the handshake failed", error);
    read();
    if (message_) return send_only(*message_);
    lines_.start(io_.lock(),
                 [self = self()](std::optional<std::string> line) { self->on_line(std::move(line)); });
  }

  void send_only(const std::string& message) {
    to_send_.push_back(message);
    input_has_ended_ = true;
    write();
  }

  void on_line(std::optional<std::string> line) {
    if (line) {
      to_send_.push_back(std::move(*line));
    } else {
      input_has_ended_ = true;
    }
    write();
  }

  void write() {
    if (is_writing_ || is_over_) return;
    if (to_send_.empty()) return close_when_answered();
    is_writing_ = true;
    stream_.text(true);
    stream_.async_write(asio::buffer(to_send_.front()), [self = self()](error_code error, std::size_t) {
      self->is_writing_ = false;
      if (error) return;  // the pending read says why
      self->to_send_.pop_front();
      ++self->unanswered_;
      if (!self->message_) self->lines_.done_with_line();
      self->write();
    });
  }

  /// Each answer starts the quiet time again.
  void close_when_answered() {
    if (!input_has_ended_ || is_over_) return;
    if (unanswered_ <= 0) return close();
    quiet_.expires_after(message_ ? kAnswerTime : kQuietTime);
    quiet_.async_wait([self = self()](error_code error) {
      if (error) return;
      if (self->message_) return self->fail("no answer", asio::error::timed_out);
      self->close();
    });
  }

  void close() {
    is_over_ = true;
    quiet_.cancel();
    stream_.async_close(websocket::close_code::normal, [self = self()](error_code error) {
      self->on_end(error ? error : websocket::error::closed);
    });
  }

  void read() {
    stream_.async_read(input_, [self = self()](error_code error, std::size_t) {
      if (error) return self->on_end(error);
      self->print_message();
      --self->unanswered_;
      self->is_answered_ = true;
      if (self->to_send_.empty()) self->close_when_answered();
      self->read();
    });
  }

  void print_message() {
    const auto data = input_.cdata();
    const base::Bytes message{static_cast<const std::byte*>(data.data()), data.size()};
    if (stream_.got_text()) {
      std::cout << base::as_text(message) << std::endl;
    } else {
      std::cout << binary_line(message) << std::flush;
    }
    input_.clear();
  }

  /// Of the pending read, of our own close, or of both: then the first one tells. A read that our
  /// close takes over is aborted, which tells nothing.
  void on_end(error_code error) {
    if (has_ended_ || (is_over_ && error == asio::error::operation_aborted)) return;
    has_ended_ = true;
    is_over_ = true;
    quiet_.cancel();
    if (error != websocket::error::closed) return fail("the connection was cut", error);
    const auto& reason = stream_.reason();
    std::cout << closed_line(reason.code, std::string_view{reason.reason.data(), reason.reason.size()})
              << std::flush;
    finish(message_ && !is_answered_ ? 1 : 0);
  }

  void fail(const std::string& what, const error_code& error) {
    std::cerr << "wsproxy connect: " << what << ": " << error.message() << std::endl;
    finish(1);
  }

  /// Timers of the stream may still be pending; nobody waits for them.
  void finish(int exit_code) {
    exit_code_ = exit_code;
    io_.lock()->stop();
  }

  std::weak_ptr<asio::io_context> io_;  // which owns us by way of our pending operations
  Url url_;
  std::optional<std::string> message_;
  tcp::resolver resolver_;
  asio::steady_timer quiet_;
  websocket::stream<Stream> stream_;
  websocket::response_type answer_;
  beast::flat_buffer input_;
  StdinLines lines_;
  std::deque<std::string> to_send_;
  long unanswered_ = 0;       // lines sent less messages that came: assumes an app that answers each
  bool is_answered_ = false;  // by a message, at least one
  bool input_has_ended_ = false;
  bool is_writing_ = false;
  bool is_over_ = false;  // nothing more is sent
  bool has_ended_ = false;
  int exit_code_ = 1;
};

template <typename Stream, typename... StreamArguments>
int converse(const Url& url, const std::optional<std::string>& message, StreamArguments&&... arguments) {
  auto io = std::make_shared<asio::io_context>(1);
  auto client =
      std::make_shared<Client<Stream>>(io, url, message, std::forward<StreamArguments>(arguments)...);
  client->start();
  io->run();
  return client->exit_code();
}

}  // namespace

int connect(const std::string& url, const std::optional<std::string>& message) {
  const auto parsed = parse_url(url);
  if (!parsed || (parsed->scheme != "ws" && parsed->scheme != "wss")) {
    std::cerr << "wsproxy connect: " << url << " is no ws:// or wss:// URL" << std::endl;
    return 1;
  }
  if (parsed->scheme == "ws") return converse<PlainStream>(*parsed, message);
  ssl::context tls{ssl::context::tls_client};
  tls.set_default_verify_paths();
  tls.set_verify_mode(ssl::verify_peer);
  return converse<TlsStream>(*parsed, message, tls);
}

}  // namespace wsproxy::cli
