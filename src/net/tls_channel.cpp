#include "net/tls_channel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "net/side_thread.hpp"
#include "net/tls_error.hpp"

namespace wsproxy::net {

namespace {

constexpr std::size_t kSealedAtOnce = std::size_t{64} << 10;
/// What a peer may say in a handshake: a chain of certificates is a few KB.
constexpr std::size_t kMostHandshakeBytes = std::size_t{64} << 10;
/// Answers that a peer may cause (to its key updates) without taking them.
constexpr std::size_t kMostWaiting = 2 * kSealedAtOnce;

/// A client that speaks HTTP without TLS begins with its method; a record of a handshake with 22.
bool is_http(base::Bytes first) {
  const auto c = std::to_integer<char>(first.front());
  return c >= 'A' && c <= 'Z';
}

}  // namespace

/// A step of a handshake on the side thread. Belongs to nobody but itself meanwhile; whoever asked for it may
/// be gone when it is done.
struct TlsChannel::Job {
  std::unique_ptr<TlsStream> stream;
  base::ByteQueue arrived;
  base::ByteQueue sealed;
  TlsStream::Step step = TlsStream::Step::failed;
  bool is_done = false;                // the loop's, as is the next one
  TlsChannel* owner = nullptr;         // nothing once that is gone
  std::atomic<bool> is_wanted = true;  // else nobody needs the rest

  void work() {
    if (!is_wanted) return;
    try {
      step = stream->shake_hands(arrived.view(), sealed);
    } catch (const std::exception&) {
      stream->fail({telemetry::TlsFailureReason::other, "out of memory"});
    }
  }
  void end() {
    is_done = true;
    if (owner != nullptr) owner->on_step_();
  }
};

TlsChannel::TlsChannel(std::unique_ptr<TlsStream> stream, TlsBuffers& buffers, base::Bytes preface,
                       base::Bytes early, std::function<void()> on_step)
    : stream_(std::move(stream)), buffers_(buffers), on_step_(std::move(on_step)) {
  // Nothing waits yet; it goes out with the first flight.
  waiting_.keep(preface);
  early_.append(early);
}

TlsChannel::~TlsChannel() {
  if (!job_) return;
  job_->owner = nullptr;
  job_->is_wanted = false;
}

bool TlsChannel::may_read(const EdgeSocket& socket) const {
  if (job_) return job_->is_done;
  return socket.may_read() || !early_.empty() || stream_->has_input();
}

bool TlsChannel::begin_job(base::Bytes arrived) {
  if (buffers_.side == nullptr || !buffers_.spares_loop) return false;
  if (!stream_->is_server() || has_answered_ || arrived.empty()) return false;
  auto job = std::make_shared<Job>();
  job->arrived.append(arrived);
  job->owner = this;
  stream_->rest();
  job->stream = std::move(stream_);
  job_ = job;
  buffers_.side->run([job] { job->work(); }, [job] { job->end(); });
  return true;
}

IoResult TlsChannel::receive_handshake(EdgeSocket& socket) {
  if (early_.empty()) return socket.read_some(buffers_.arrived);
  const base::Bytes part = early_.view().first(std::min(early_.size(), buffers_.arrived.size()));
  std::ranges::copy(part, buffers_.arrived.begin());
  early_.consume(part.size());
  if (early_.empty()) early_.release();
  return {IoStatus::done, part.size(), {}};
}

TlsChannel::Handshake TlsChannel::shake_hands(EdgeSocket& socket) {
  buffers_.forget_unfinished();
  if (job_) {
    if (!job_->is_done) return Handshake::under_way;
    const std::shared_ptr<Job> job = std::move(job_);
    stream_ = std::move(job->stream);
    buffers_.sealed.append(job->sealed.view());
    return end_step(socket, job->step);
  }
  base::Bytes arrived;
  const IoResult got = receive_handshake(socket);
  if (got.status == IoStatus::done) {
    arrived = std::span{buffers_.arrived}.first(got.bytes);
    if (handshake_bytes_ == 0 && stream_->is_server() && is_http(arrived)) {
      stream_->fail({telemetry::TlsFailureReason::plain_http, "HTTP without TLS"});
      return Handshake::failed;
    }
    handshake_bytes_ += got.bytes;
  } else if (got.status != IoStatus::would_block) {
    stream_->fail_by_end();
    return Handshake::failed;
  }
  if (begin_job(arrived)) return Handshake::under_way;
  return end_step(socket, stream_->shake_hands(arrived, buffers_.sealed));
}

TlsChannel::Handshake TlsChannel::end_step(EdgeSocket& socket, TlsStream::Step step) {
  buffers_.warm(*stream_);
  has_answered_ = has_answered_ || !buffers_.sealed.empty();
  if (step == TlsStream::Step::done && stream_->is_server() && stream_->is_version_1_3()) {
    // All that is left to say is a ticket, which nobody waits for: it goes out with what comes next.
    waiting_.keep(buffers_.sealed.view());
    buffers_.sealed.clear();
    return Handshake::done;
  }
  const bool is_sent = send(socket).status != IoStatus::failed;
  switch (step) {
    case TlsStream::Step::done:
      return Handshake::done;
    case TlsStream::Step::failed:
      return Handshake::failed;
    case TlsStream::Step::needs_more:
      break;
  }
  if (is_sent && handshake_bytes_ <= kMostHandshakeBytes) return Handshake::under_way;
  is_sent ? stream_->fail({telemetry::TlsFailureReason::garbage, "a handshake without an end"})
          : stream_->fail_by_end();
  return Handshake::failed;
}

IoResult TlsChannel::read_some(EdgeSocket& socket, base::MutableBytes into) {
  buffers_.forget_unfinished();
  base::Bytes arrived;
  if (!stream_->has_input()) {
    const IoResult got = socket.read_some(buffers_.arrived);
    if (got.status == IoStatus::end_of_file) {
      stream_->fail_by_end();
      return fail();
    }
    if (got.status != IoStatus::done) return got;
    arrived = std::span{buffers_.arrived}.first(got.bytes);
  }
  const TlsStream::Opened opened = stream_->open(arrived, into);
  // Alerts and answers to key updates; a peer that takes none of them and goes on is no peer.
  if (!buffers_.sealed.empty()) send(socket);
  if (waiting_.size() > kMostWaiting) return fail();
  if (opened.bytes > 0) return {IoStatus::done, opened.bytes, {}};
  switch (opened.state) {
    case TlsStream::State::open:
      return {IoStatus::would_block, 0, {}};
    case TlsStream::State::closed:
      return {IoStatus::end_of_file, 0, asio::error::eof};
    case TlsStream::State::failed:
      break;
  }
  return fail();
}

IoResult TlsChannel::write_some(EdgeSocket& socket, base::Bytes from) {
  buffers_.forget_unfinished();
  if (broken_) return {IoStatus::failed, 0, broken_};
  if (unreported_ > 0) {
    // Others than before: what is sealed is not theirs.
    if (unreported_ > from.size()) return give_up(socket);
    const IoResult result = send(socket);
    if (result.status != IoStatus::done) return {result.status, 0, result.error};
    return {IoStatus::done, std::exchange(unreported_, 0), {}};
  }
  const base::Bytes part = from.first(std::min(from.size(), kSealedAtOnce));
  const bool needs_time = part.size() > TlsStream::kSmallRecord;
  if (!stream_->seal(part, needs_time ? Clock::now() : Clock::time_point{})) {
    buffers_.sealed.clear();
    return give_up(socket);
  }
  if (ends_ && part.size() == from.size()) stream_->say_close();
  const IoResult result = send(socket);
  if (result.status == IoStatus::done) return {IoStatus::done, part.size(), {}};
  if (result.status == IoStatus::would_block) unreported_ = part.size();
  return {result.status, 0, result.error};
}

void TlsChannel::flush(EdgeSocket& socket) {
  buffers_.forget_unfinished();
  send(socket);
}

void TlsChannel::shut_down_send(EdgeSocket& socket) {
  buffers_.forget_unfinished();
  stream_->say_close();
  shuts_down_ = true;
  send(socket);
}

IoResult TlsChannel::send(EdgeSocket& socket) {
  if (!waiting_.empty()) {
    waiting_.keep(buffers_.sealed.view());
    buffers_.sealed.clear();
  }
  const IoResult result = waiting_.flush(socket, buffers_.sealed);
  is_blocked_ = result.status == IoStatus::would_block;
  if (result.status == IoStatus::failed) {
    // Some of what is sealed is lost: nothing may follow it, or be taken for written.
    broken_ = result.error;
    waiting_.drop();
  }
  if (result.status != IoStatus::would_block && std::exchange(shuts_down_, false)) socket.shut_down_send();
  return result;
}

/// Who waits to read learns of it by the socket's end only: the peer knows nothing of it.
IoResult TlsChannel::give_up(EdgeSocket& socket) {
  socket.give_up(make_error_code(boost::system::errc::io_error));
  return fail();
}

IoResult TlsChannel::fail() {
  const bool is_cut = stream_->failure().reason == telemetry::TlsFailureReason::closed;
  return {IoStatus::failed, 0, make_error_code(is_cut ? TlsError::truncated : TlsError::failed)};
}

}  // namespace wsproxy::net
