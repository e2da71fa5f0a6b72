#include "net/transport.hpp"

#include <utility>

#include "net/tls_channel.hpp"

namespace wsproxy::net {

Transport::Transport(Poller& poller, Descriptor socket, OnReady on_ready)
    : poller_(poller), socket_(std::move(socket)), on_ready_(std::move(on_ready)) {
  if (const error_code error = poller_.add(socket_.number(), *this)) socket_.give_up(error);
}

Transport::Transport(Poller& poller, Descriptor socket, Connecting) : Transport(poller, std::move(socket)) {
  if (!socket_.has_hung_up()) socket_.note_connecting();
}

Transport::~Transport() {
  if (fate_ != nullptr) *fate_ = Fate::destroyed;
  close();
}

void Transport::begin_tls(std::unique_ptr<TlsStream> stream, TlsBuffers& buffers, const AheadOfTls& ahead) {
  tls_ = std::make_unique<TlsChannel>(std::move(stream), buffers, ahead.to_peer, ahead.from_peer,
                                      [this] { on_handshake_step(); });
  shakes_hands_ = true;
}

Transport::Handshake Transport::shake_hands() {
  switch (tls_->shake_hands(socket_)) {
    case TlsChannel::Handshake::under_way:
      return Handshake::under_way;
    case TlsChannel::Handshake::failed:
      return Handshake::failed;
    case TlsChannel::Handshake::done:
      break;
  }
  shakes_hands_ = false;
  return Handshake::done;
}

void Transport::end_tls() {
  tls_.reset();
  shakes_hands_ = false;
}

const TlsStream* Transport::tls() const {
  return tls_ ? tls_->stream() : nullptr;
}

void Transport::set_on_ready(OnReady on_ready) {
  if (fate_ != nullptr) *fate_ = Fate::handed_over;
  on_ready_ = std::move(on_ready);
  waits_readable_ = false;
  waits_writable_ = false;
}

IoResult Transport::read_some(base::MutableBytes into) {
  return tls_ ? tls_->read_some(socket_, into) : socket_.read_some(into);
}

IoResult Transport::write_some(base::Bytes from) {
  return tls_ ? tls_->write_some(socket_, from) : socket_.write_some(from);
}

bool Transport::may_read() const {
  return tls_ ? tls_->may_read(socket_) : socket_.may_read();
}

void Transport::wait_readable() {
  waits_readable_ = true;
  if (may_read()) call_reader();
}

void Transport::on_handshake_step() {
  if (is_open() && waits_readable_) call_reader();
}

void Transport::call_reader() {
  if (shakes_hands_) {
    poller_.call_alone(*this);
  } else {
    poller_.call_soon(*this);
  }
}

void Transport::wait_writable() {
  waits_writable_ = true;
  if (socket_.may_write()) poller_.call_soon(*this);
}

void Transport::on_events(Poller::Events events) {
  socket_.note(events);
  if (tls_ && socket_.may_write() && tls_->is_blocked()) tls_->flush(socket_);
  if (socket_.may_write() && std::exchange(waits_writable_, false) && !tell(Ready::writing)) return;
  if (!is_open() || !waits_readable_ || !may_read()) return;
  if (shakes_hands_) {
    poller_.call_alone(*this);
    return;
  }
  waits_readable_ = false;
  tell(Ready::reading);
}

void Transport::on_turn_alone() {
  if (waits_writable_ && socket_.may_write()) poller_.call_soon(*this);
  if (is_open() && may_read() && std::exchange(waits_readable_, false)) tell(Ready::reading);
}

/// The OnReady is not called in its place: it may hand the transport over to somebody else, or destroy it.
struct Transport::Telling {
  explicit Telling(Transport& transport)
      : self(transport), call(std::exchange(transport.on_ready_, nullptr)) {
    self.fate_ = &fate;
  }
  ~Telling() {
    if (fate == Fate::destroyed) return;
    self.fate_ = nullptr;
    if (fate == Fate::same) self.on_ready_ = std::move(call);
  }
  Transport& self;
  OnReady call;
  Fate fate = Fate::same;
};

bool Transport::tell(Ready ready) {
  Telling telling{*this};
  telling.call(ready);
  return telling.fate != Fate::destroyed;
}

void Transport::announce_end() {
  if (tls_) tls_->announce_end();
}

void Transport::shut_down_send() {
  tls_ ? tls_->shut_down_send(socket_) : socket_.shut_down_send();
}

void Transport::close() {
  if (!is_open()) return;
  poller_.remove(*this);
  socket_.close();
}

void Transport::close_in_order() {
  if (tls_ && is_open()) tls_->shut_down_send(socket_);
  close();
}

void Transport::reset() {
  socket_.reset_on_close();
  close();
}

}  // namespace wsproxy::net
