#include "net/connector.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "net/tls_stream.hpp"

namespace wsproxy::net {

namespace {

constexpr auto kFirstPause = std::chrono::milliseconds{10};
constexpr auto kLongestPause = std::chrono::milliseconds{500};
constexpr auto kShortestAttempt = std::chrono::milliseconds{250};
// A connection within one machine is there by then, and needs no timer.
constexpr int kTurnsWithoutTimer = 2;

std::string system_reason(int number) {
  return error_code{number, boost::system::system_category()}.message();
}

Protocol::endpoint endpoint_of(const asio::ip::address& address, std::uint16_t port) {
  return Protocol::endpoint{asio::ip::tcp::endpoint{address, port}};
}

}  // namespace

/// A timer whose last call may already be on its way when it is cancelled.
struct Connector::Alarm {
  Alarm(IoContext& io, Connector& whose) : timer(io.get_executor()), owner(&whose) {}
  Timer timer;
  Connector* owner;
  Clock::time_point when;
};

struct Connector::Securing {
  std::shared_ptr<const TlsClient> tls;
  TlsBuffers& buffers;
  std::string preface;
};

Connector::Connector(IoContext& io, Poller& poller, Target target, Clock::duration total)
    : io_(io), poller_(poller), target_(std::move(target)), total_(total), pause_(kFirstPause) {
}

Connector::~Connector() {
  cancel();
}

void Connector::secure(std::shared_ptr<const TlsClient> tls, TlsBuffers& buffers, std::string preface) {
  securing_ = std::make_unique<Securing>(Securing{std::move(tls), buffers, std::move(preface)});
}

void Connector::start(Callback callback) {
  callback_ = std::move(callback);
  deadline_ = Clock::now() + total_;
  begin_round();
}

void Connector::cancel() {
  callback_ = nullptr;
  stage_ = Stage::idle;
  lookup_.reset();
  transport_.reset();
  if (!alarm_) return;
  alarm_->owner = nullptr;
  alarm_->timer.cancel();
  alarm_.reset();
}

/// Whoever waits is told by nothing else that a step has thrown, and may have no deadline of his own.
template <class Step>
void Connector::guarded(Step&& step) {
  bool has_called = false;
  has_called_ = &has_called;
  try {
    step();
  } catch (const std::exception& error) {
    if (has_called) throw;  // the callback's
    fail(ConnectStatus::refused, error.what());
    finish(ConnectStatus::refused);
  }
  if (!has_called) has_called_ = nullptr;
}

void Connector::begin_round() {
  endpoints_.clear();
  next_endpoint_ = 0;
  error_code is_name;
  if (!target_.unix_path.empty()) {
    endpoints_.push_back(unix_endpoint(target_.unix_path));
  } else if (const auto address = asio::ip::make_address(target_.host, is_name); !is_name) {
    endpoints_.push_back(endpoint_of(address, target_.port));
  } else {
    stage_ = Stage::resolving;
    lookup_ = std::make_unique<NameLookup>(
        io_, target_.host, [this](const FoundAddresses& found) { guarded([&] { on_found(found); }); });
    wake_at(deadline_);
    return;
  }
  try_next();
}

void Connector::on_found(const FoundAddresses& found) {
  if (found.error) {
    fail(ConnectStatus::unresolved, found.error.message());
    pause();
    return;
  }
  for (const auto& address : found.addresses) endpoints_.push_back(endpoint_of(address, target_.port));
  try_next();
}

void Connector::try_next() {
  transport_.reset();
  if (alarm_) alarm_->when = Clock::time_point::max();  // that was for the attempt before
  while (next_endpoint_ < endpoints_.size()) {
    if (connect_to(endpoints_[next_endpoint_++])) {
      turns_ = 0;
      poller_.call_soon(*this);
      return;
    }
  }
  pause();
}

/// False when it has failed already.
bool Connector::connect_to(const Protocol::endpoint& endpoint) {
  Descriptor socket{::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) {
    fail(ConnectStatus::refused, system_reason(errno));
    return false;
  }
  if (::connect(socket.number(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) {
    stage_ = Stage::connected;
    transport_ = std::make_unique<Transport>(poller_, std::move(socket));
    return true;
  }
  if (errno != EINPROGRESS && errno != EINTR) {
    // The app on a unix socket has more to accept than it asked to be kept for it.
    fail(errno == EAGAIN ? ConnectStatus::timed_out : ConnectStatus::refused, system_reason(errno));
    return false;
  }
  stage_ = Stage::connecting;
  // Only now: a socket that is neither connected nor on the way to it reports a hang-up.
  transport_ = std::make_unique<Transport>(poller_, std::move(socket), Transport::Connecting{});
  transport_->set_on_ready([this](Transport::Ready) { guarded([this] { on_writable(); }); });
  transport_->wait_writable();
  return true;
}

void Connector::on_writable() {
  if (const error_code error = transport_->connect_error()) {
    fail(ConnectStatus::refused, error.message());
    try_next();
  } else {
    on_connected();
  }
}

void Connector::on_connected() {
  if (!securing_) {
    finish(ConnectStatus::connected);
    return;
  }
  stage_ = Stage::securing;
  wake_at(deadline_);
  transport_->begin_tls(securing_->tls->connect(target_.host, securing_->buffers), securing_->buffers,
                        {.to_peer = base::as_bytes(securing_->preface)});
  transport_->set_on_ready([this](Transport::Ready) { guarded([this] { shake_hands(); }); });
  shake_hands();
}

void Connector::shake_hands() {
  switch (transport_->shake_hands()) {
    case Transport::Handshake::done:
      finish(ConnectStatus::connected);
      break;
    case Transport::Handshake::under_way:
      transport_->wait_readable();
      break;
    case Transport::Handshake::failed:
      fail(ConnectStatus::tls_failed, transport_->tls()->failure().detail);
      finish(ConnectStatus::tls_failed);
      break;
  }
}

void Connector::on_events(Poller::Events) {
  guarded([this] { on_turn(); });
}

void Connector::on_turn() {
  if (stage_ == Stage::connected) {
    on_writable();
  } else if (stage_ == Stage::connecting && ++turns_ < kTurnsWithoutTimer) {
    poller_.call_soon(*this);
  } else if (stage_ == Stage::connecting) {
    wake_at(end_of_attempt());
  }
}

Clock::time_point Connector::end_of_attempt() const {
  const Clock::time_point now = Clock::now();
  const auto addresses = static_cast<Clock::rep>(endpoints_.size() - next_endpoint_ + 1);
  return std::min(deadline_,
                  now + std::max<Clock::duration>((deadline_ - now) / addresses, kShortestAttempt));
}

void Connector::fail(ConnectStatus status, std::string reason) {
  status_ = status;
  reason_ = std::move(reason);
}

void Connector::pause() {
  stage_ = Stage::pausing;
  wake_at(std::min(Clock::now() + pause_, deadline_));
  pause_ = std::min<Clock::duration>(pause_ * 2, kLongestPause);
}

void Connector::wake_at(Clock::time_point when) {
  if (!alarm_) alarm_ = std::make_shared<Alarm>(io_, *this);
  alarm_->when = when;
  alarm_->timer.expires_at(when);
  alarm_->timer.async_wait([alarm = alarm_](const error_code& error) {
    // One that was set again meanwhile has another call under way.
    if (!error && alarm->owner != nullptr && Clock::now() >= alarm->when) {
      alarm->owner->guarded([&alarm] { alarm->owner->on_alarm(); });
    }
  });
}

void Connector::on_alarm() {
  if (Clock::now() >= deadline_) {
    if (stage_ == Stage::securing) fail(ConnectStatus::tls_failed, "no end of the TLS handshake in time");
    const bool has_no_answer = stage_ == Stage::resolving && status_ == ConnectStatus::timed_out;
    finish(has_no_answer ? ConnectStatus::unresolved : status_);
  } else if (stage_ == Stage::pausing) {
    begin_round();
  } else if (stage_ == Stage::connecting) {
    fail(ConnectStatus::timed_out, system_reason(ETIMEDOUT));
    try_next();
  }
}

void Connector::finish(ConnectStatus status) {
  ConnectResult result{status, {}, {}};
  if (status == ConnectStatus::connected) {
    result.transport = std::move(transport_);
    result.transport->set_on_ready({});
  } else {
    result.reason = reason_.empty() ? system_reason(ETIMEDOUT) : reason_;
  }
  const Callback call = std::exchange(callback_, nullptr);
  cancel();
  if (bool* const has_called = std::exchange(has_called_, nullptr)) *has_called = true;
  call(std::move(result));
}

}  // namespace wsproxy::net
