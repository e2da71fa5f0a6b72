#include "net/tls_stream.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include <openssl/err.h>

#include "net/peer_certificate.hpp"

namespace wsproxy::net {
namespace {

using Reason = telemetry::TlsFailureReason;

// A record can be opened when all of it has come. At the start of a burst a record fits a segment, so that
// the first one does not wait for ten; once the congestion window's first ten segments are full (RFC 6928),
// full records cost less. After a second of silence that window is small again (RFC 5681 section 4.1).
constexpr std::uint32_t kFirstBytes = 10 * TlsStream::kSmallRecord;
constexpr std::size_t kFullRecord = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr int kHeader = SSL3_RT_HEADER_LENGTH;
// Key updates, tickets of an app, records without data: a peer has reason for a few. OpenSSL takes any number
// within one call, at 15 us each.
constexpr std::uint32_t kMostEmptyRecords = 64;
constexpr auto kSilence = std::chrono::seconds{1};

}  // namespace

TlsStream::TlsStream(SslPtr ssl, TlsBuffers& buffers, std::shared_ptr<const void> lender)
    : ssl_(std::move(ssl)), buffers_(buffers), lender_(std::move(lender)) {
  BIO* const bio = BIO_new(bio_method());
  if (bio == nullptr) throw std::bad_alloc{};
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::Step TlsStream::shake_hands(base::Bytes arrived, base::ByteQueue& sealed) {
  arrived_ = arrived;
  sealed_ = &sealed;
  has_heard_ = has_heard_ || !arrived.empty();
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) state_ = judge(result);
  ERR_clear_error();
  sealed_ = &buffers_.sealed;
  if (!arrived_.empty()) kept_.append(std::exchange(arrived_, {}));
  if (state_ == State::closed) failure_ = {Reason::closed, "the peer gave up with close_notify"};
  if (state_ != State::open) return Step::failed;
  if (result != 1) return Step::needs_more;
  lender_.reset();
  return Step::done;
}

TlsStream::Opened TlsStream::open(base::Bytes arrived, base::MutableBytes into) {
  arrived_ = arrived;
  buffers_.warm(*this);
  // SSL_get_error(3) takes what another connection's failure has left for this one's.
  if (ERR_peek_error() != 0) ERR_clear_error();
  Opened opened{0, state_};
  while (opened.bytes < into.size() && state_ == State::open) {
    const base::MutableBytes room = into.subspan(opened.bytes);
    const int size = static_cast<int>(std::min<std::size_t>(room.size(), std::numeric_limits<int>::max()));
    const int result = SSL_read(ssl_.get(), room.data(), size);
    if (result <= 0) {
      state_ = judge(result);
      break;
    }
    opened.bytes += static_cast<std::size_t>(result);
    empty_records_ = 0;
    if (arrived_.empty() && !has_input()) break;  // OpenSSL would only find that out by a buffer of its own
  }
  if (!arrived_.empty()) kept_.append(std::exchange(arrived_, {}));
  if (kept_.empty()) kept_.release();
  opened.state = state_;
  return opened;
}

bool TlsStream::seal(base::Bytes plain, Clock::time_point now) {
  const bool fits = plain.size() <= kSmallRecord;
  buffers_.warm(*this);
  while (!plain.empty()) {
    const base::Bytes record = fits ? plain : plain.first(std::min(plain.size(), record_size(now)));
    if (SSL_write(ssl_.get(), record.data(), static_cast<int>(record.size())) <= 0) {
      TlsFailure failure = take_failure(ssl_.get());
      fail(std::move(failure));
      return false;
    }
    plain = plain.subspan(record.size());
  }
  return true;
}

std::size_t TlsStream::record_size(Clock::time_point now) {
  if (now - last_sealed_ > kSilence) burst_bytes_ = 0;
  last_sealed_ = now;
  if (burst_bytes_ >= kFirstBytes) return kFullRecord;
  burst_bytes_ += kSmallRecord;
  return kSmallRecord;
}

void TlsStream::say_close() {
  ERR_clear_error();
  const bool has_said = (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0;
  if (SSL_is_init_finished(ssl_.get()) == 1 && state_ != State::failed && !has_said) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsStream::fail(TlsFailure failure) {
  if (state_ == State::open) failure_ = std::move(failure);
  state_ = State::failed;
}

void TlsStream::fail_by_end() {
  fail({Reason::closed, "the connection ended without close_notify"});
}

std::optional<http::ClientCertificate> TlsStream::client_certificate() const {
  return peer_certificate(ssl_.get());
}

void TlsStream::cool() {
  // Some OpenSSL before 3.0.14 frees a buffer whose record is only begun (CVE-2024-4741).
  if (!is_mid_record_ && SSL_pending(ssl_.get()) == 0) SSL_free_buffers(ssl_.get());
}

TlsStream::State TlsStream::judge(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return State::open;
    case SSL_ERROR_ZERO_RETURN:
      return State::closed;
    default:
      failure_ = take_failure(ssl_.get());
      if (empty_records_ > kMostEmptyRecords) failure_ = {Reason::garbage, "too many records without data"};
      return State::failed;
  }
}

int TlsStream::on_read(BIO* bio, char* into, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const base::Bytes source = self.kept_.empty() ? self.arrived_ : self.kept_.view();
  if (source.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  if (size == kHeader && SSL_is_init_finished(self.ssl_.get()) == 1 &&
      ++self.empty_records_ > kMostEmptyRecords) {
    return -1;  // and no other try
  }
  const base::Bytes part = source.first(std::min(source.size(), static_cast<std::size_t>(size)));
  std::ranges::copy(part, reinterpret_cast<std::byte*>(into));
  self.is_mid_record_ = part.size() < static_cast<std::size_t>(size) || size == kHeader;
  if (self.kept_.empty()) {
    self.arrived_ = self.arrived_.subspan(part.size());
  } else {
    self.kept_.consume(part.size());
  }
  return static_cast<int>(part.size());
}

int TlsStream::on_write(BIO* bio, const char* from, int size) {
  auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  try {
    self.sealed_->append(base::as_bytes(std::string_view{from, static_cast<std::size_t>(size)}));
  } catch (const std::bad_alloc&) {
    return -1;  // no exception passes through OpenSSL
  }
  return size;
}

long TlsStream::on_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* TlsStream::bio_method() {
  static const std::unique_ptr<BIO_METHOD, Releasing<BIO_meth_free>> method = [] {
    std::unique_ptr<BIO_METHOD, Releasing<BIO_meth_free>> made{
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "worker's buffers")};
    BIO_meth_set_read(made.get(), on_read);
    BIO_meth_set_write(made.get(), on_write);
    BIO_meth_set_ctrl(made.get(), on_control);
    return made;
  }();
  return method.get();
}

}  // namespace wsproxy::net
