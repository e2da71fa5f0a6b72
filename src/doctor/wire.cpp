#include "doctor/wire.hpp"

#include <array>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace wsproxy::doctor {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

/// RFC 6066 section 3: an address is no server name.
bool is_server_name(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return error.failed();
}

bool is_end_of_file(const error_code& error) {
  return error == asio::error::eof || error == ssl::error::stream_truncated;
}

/// A handshake may also end for want of time, or because our own OpenSSL may not do what we ask of it.
bool is_refusal(const error_code& error) {
  if (is_end_of_file(error) || error == asio::error::connection_reset) return true;
  if (error.category() != asio::error::get_ssl_category()) return false;
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  return reason != SSL_R_NO_PROTOCOLS_AVAILABLE && reason != SSL_R_NO_CIPHERS_AVAILABLE;
}

}  // namespace

/// Reads and writes stay pending over calls, so that what was not done in time can go on later, also inside
/// of TLS.
class Wire::Link {
 public:
  Link() : tls_context_(ssl::context::tls_client), resolver_(io_), stream_(io_, tls_context_) {}
  /// Handlers of what is still pending must run before what they write to is gone.
  ~Link() {
    error_code ignored;
    is_abandoned_ = true;
    resolver_.cancel();
    socket().close(ignored);
    io_.restart();
    io_.run_for(std::chrono::seconds{1});
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  error_code connect(const Target& target) {
    return wait_for(target.patience, [&](auto done) {
      resolver_.async_resolve(
          target.host, target.port, [this, done](error_code error, const tcp::resolver::results_type& found) {
            if (error) return done(error);
            // It may have succeeded just when nobody waits any more, and then nothing would end a connect.
            if (is_abandoned_) return done(asio::error::operation_aborted);
            asio::async_connect(socket(), found,
                                [done](error_code refused, const tcp::endpoint&) { done(refused); });
          });
    });
  }

  error_code secure(const Target& target, const TlsTerms& terms) {
    is_secure_ = true;
    SSL* tls = stream_.native_handle();
    if (terms.verifies) {
      error_code no_store;
      tls_context_.set_default_verify_paths(no_store);
      stream_.set_verify_mode(ssl::verify_peer);
      stream_.set_verify_callback(ssl::host_name_verification(target.host));
    }
    if (terms.only_before_12) {  // which the system's policy may forbid to clients
      SSL_set_security_level(tls, 0);
      SSL_set_min_proto_version(tls, TLS1_VERSION);
      SSL_set_max_proto_version(tls, TLS1_1_VERSION);
    }
    if (is_server_name(target.host)) {  // not by OpenSSL's macro, which has a cast that we warn of
      std::string name = target.host;
      SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    }
    return wait_for(target.patience, [&](auto done) {
      stream_.async_handshake(ssl::stream_base::client, [done](error_code error) { done(error); });
    });
  }

  Wire::Progress send(base::Bytes bytes, Patience patience) {
    waiting_.append(base::as_text(bytes));
    if (!is_writing_) write();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    if (!run_until(deadline, [this] { return !is_writing_; })) return Progress::blocked;
    return is_over_ ? Progress::over : Progress::taken;
  }

  Receipt receive(base::ByteQueue& to, Patience patience) {
    if (!is_reading_) read();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    if (!run_until(deadline, [this] { return !is_reading_; })) return Receipt::nothing;
    if (received_ == 0) return Receipt::end;
    to.append(base::Bytes{input_}.first(received_));
    return Receipt::bytes;
  }

  /// Of the last receipt.
  error_code read_error() const { return read_error_; }

 private:
  tcp::socket& socket() { return stream_.next_layer(); }

  void write() {
    if (is_over_) return;
    if (written_ == writing_.size()) {
      writing_ = std::exchange(waiting_, {});
      written_ = 0;
    }
    is_writing_ = !writing_.empty();
    if (!is_writing_) return;
    const auto done = [this](error_code error, std::size_t size) {
      is_writing_ = false;
      is_over_ = error.failed();
      written_ += size;
      write();
    };
    const asio::const_buffer rest{writing_.data() + written_, writing_.size() - written_};
    if (is_secure_) {
      stream_.async_write_some(rest, done);
    } else {
      socket().async_write_some(rest, done);
    }
  }

  void read() {
    is_reading_ = true;
    const auto done = [this](error_code error, std::size_t size) {
      is_reading_ = false;
      received_ = size;  // none with an error, whichever it is: the connection is over
      read_error_ = error;
    };
    if (is_secure_) {
      stream_.async_read_some(asio::buffer(input_), done);
    } else {
      socket().async_read_some(asio::buffer(input_), done);
    }
  }

  template <typename Start>
  error_code wait_for(Patience patience, Start&& start) {
    bool is_done = false;
    error_code result;
    start([&](error_code error) {
      is_done = true;
      result = error;
    });
    if (run_until(std::chrono::steady_clock::now() + patience, [&] { return is_done; })) return result;
    abandon();
    return asio::error::timed_out;
  }

  /// Ends the connection, and with it whatever is pending.
  void abandon() {
    error_code ignored;
    is_abandoned_ = true;
    resolver_.cancel();
    socket().close(ignored);
    io_.restart();
    io_.run();
  }

  template <typename Condition>
  bool run_until(std::chrono::steady_clock::time_point deadline, Condition&& holds) {
    io_.restart();
    while (!holds()) {
      if (io_.run_one_until(deadline) == 0) return holds();
    }
    return true;
  }

  asio::io_context io_{1};
  ssl::context tls_context_;
  tcp::resolver resolver_;
  ssl::stream<tcp::socket> stream_;
  bool is_secure_ = false;
  bool is_abandoned_ = false;
  bool is_writing_ = false;
  bool is_over_ = false;  // for writing
  std::string writing_;
  std::size_t written_ = 0;  // of it
  std::string waiting_;      // to be written behind it
  bool is_reading_ = false;
  std::size_t received_ = 0;
  error_code read_error_;
  std::array<std::byte, 65536> input_{};
};

Wire::Wire() : link_(std::make_unique<Link>()) {
}
Wire::~Wire() = default;

bool Wire::open(const Target& target, const TlsTerms& terms) {
  if (const auto error = link_->connect(target)) {
    problem_ = "cannot connect to " + target.host + " port " + target.port + ": " + error.message();
    return false;
  }
  if (!target.secure) return true;
  if (const auto error = link_->secure(target, terms)) {
    problem_ = "no TLS with " + target.host + ": " + error.message();
    is_refused_by_tls_ = is_refusal(error);
    return false;
  }
  return true;
}

Wire::Progress Wire::send(base::Bytes bytes, Patience patience) {
  return link_->send(bytes, patience);
}

bool Wire::wait_for_end(Patience patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    base::ByteQueue unread;
    const auto left = std::chrono::duration_cast<Patience>(deadline - std::chrono::steady_clock::now());
    if (left <= Patience{0}) return false;
    const Receipt receipt = receive(unread, left);
    if (receipt != Receipt::bytes) return receipt == Receipt::end;
  }
}

Wire::Receipt Wire::receive(base::ByteQueue& to, Patience patience) {
  const Receipt receipt = link_->receive(to, patience);
  if (receipt != Receipt::end) return receipt;
  const error_code error = link_->read_error();
  if (!is_end_of_file(error)) problem_ = error.message();
  return receipt;
}

}  // namespace wsproxy::doctor
