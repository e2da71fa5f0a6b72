#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/byte_queue.hpp"
#include "http/client_certificate.hpp"
#include "net/clock.hpp"
#include "net/openssl.hpp"
#include "net/tls_buffers.hpp"
#include "net/tls_failure.hpp"

namespace wsproxy::net {

/// One end of a TLS connection as a machine over bytes: what came from the peer goes in, plaintext comes out,
/// and the other way round. It knows no socket: what is for the peer is appended to TlsBuffers::sealed, after
/// every call, alerts included. Each call leaves OpenSSL's queue of errors empty, as open() and seal() expect
/// it: emptying it before every record would be a part of what that costs.
///
/// Memory between two calls: OpenSSL's state; the buffers of its records, but only of a few connections
/// (TlsBuffers) and while part of a record has come; and what came and did not fit into the reader's space.
class TlsStream final : public WarmStream {
 public:
  /// `lender` is what the handshake still needs; it is let go when that is over. The buffers outlive this.
  TlsStream(SslPtr ssl, TlsBuffers& buffers, std::shared_ptr<const void> lender);
  ~TlsStream() override { rest(); }
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  enum class Step : std::uint8_t { done, needs_more, failed };
  /// Goes on with the handshake; a client begins it without any bytes. What is for the peer goes to `sealed`
  /// instead. Of all calls the one that another thread may make, after rest() and until this is used again.
  Step shake_hands(base::Bytes arrived, base::ByteQueue& sealed);
  /// Leaves the buffers of its worker alone.
  void rest() {
    if (is_linked()) buffers_.forget(*this);
  }

  enum class State : std::uint8_t {
    open,    // the rest, if any, comes with the next bytes
    closed,  // the peer has said that it will send no more (close_notify)
    failed,
  };
  struct Opened {
    std::size_t bytes;  // of plaintext; what follows them may wait for the next call all the same
    State state;        // of the connection, once these have been taken
  };
  Opened open(base::Bytes arrived, base::MutableBytes into);
  /// Whether open() has something to say without any new bytes.
  bool has_input() const { return !kept_.empty() || SSL_pending(ssl_.get()) > 0 || state_ != State::open; }

  /// What fits into one segment with all that IPv6, TCP with timestamps and TLS put around it: 1500.
  static constexpr std::size_t kSmallRecord = 1369;
  /// False when the connection has failed before. `now` matters for more than kSmallRecord only.
  bool seal(base::Bytes plain, Clock::time_point now);
  /// Says that nothing will follow; once.
  void say_close();

  /// Why a handshake or the connection after it has failed.
  const TlsFailure& failure() const { return failure_; }
  /// It has, for a reason that OpenSSL does not see; the first one counts.
  void fail(TlsFailure failure);
  /// The peer hung up where it must not.
  void fail_by_end();

  /// Whether the peer has said anything.
  bool has_heard() const { return has_heard_; }
  bool is_server() const { return SSL_is_server(ssl_.get()) == 1; }

  /// Once the handshake is done.
  bool is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  bool is_version_1_3() const { return SSL_version(ssl_.get()) == TLS1_3_VERSION; }
  /// Who the client is, if it has shown a certificate; it has been verified then.
  std::optional<http::ClientCertificate> client_certificate() const;

 private:
  static int on_read(BIO* bio, char* into, int size);
  static int on_write(BIO* bio, const char* from, int size);
  static long on_control(BIO* bio, int command, long number, void* data);
  static const BIO_METHOD* bio_method();

  void cool() override;
  State judge(int result);
  std::size_t record_size(Clock::time_point now);

  SslPtr ssl_;
  TlsBuffers& buffers_;
  std::shared_ptr<const void> lender_;
  base::Bytes arrived_;  // during a call
  base::ByteQueue* sealed_ = &buffers_.sealed;
  base::ByteQueue kept_;  // came earlier and was not looked at
  State state_ = State::open;
  bool has_heard_ = false;
  bool is_mid_record_ = false;
  std::uint32_t empty_records_ = 0;  // since the last one with data
  TlsFailure failure_;
  std::uint32_t burst_bytes_ = 0;
  Clock::time_point last_sealed_{};
};

}  // namespace wsproxy::net
