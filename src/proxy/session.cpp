#include "proxy/session.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "http/client_address.hpp"
#include "http/request_target.hpp"
#include "proxy/client_facts.hpp"
#include "proxy/head_phase.hpp"
#include "proxy/proxy_header_phase.hpp"
#include "proxy/tls_phase.hpp"

namespace wsproxy::proxy {

namespace {
/// What was accepted when its listener closed has not been read yet: to close it would be to reset it.
constexpr auto kFirstWords = std::chrono::seconds{1};
}  // namespace

Session::Session(Context& context, Arrival arrival, std::function<void()> on_gone)
    : context_(context),
      settings_(context.settings),
      destination_(default_destination(config())),
      listener_(arrival.listener),
      listener_counters_(&context.counters.listeners[config().listeners.at(listener_).label()]),
      peer_(std::move(arrival.peer.host)),
      peer_port_(arrival.peer.port),
      is_over_limit_(arrival.is_over_limit),
      is_trusted_(settings_->trusted_proxies.contains(peer_)),
      is_refused_(arrival.is_over_limit),
      on_gone_(std::move(on_gone)),
      deadline_timer_(context.io.get_executor()) {
  facts_.started = started_;
  context_.sessions.make_room();
  open(Leg::client, std::move(arrival.socket));
}

Session::~Session() = default;

void Session::start(const SessionPtr& session) {
  Session& self = *session;
  self.self_ = session;
  self.context_.sessions.enter(self);
  ++self.listener_counters_->active;
  self.guarded([&self] {
    if (self.config().listeners[self.listener_].proxy_protocol) {
      self.enter(std::make_unique<ProxyHeaderPhase>(self));
    } else {
      self.take_first_place();
      self.begin_first_request({});
    }
  });
}

void Session::begin_first_request(base::Bytes early) {
  if (is_secure() && refuse_before_tls()) return;
  if (is_secure()) {
    enter(std::make_unique<TlsPhase>(*this, early));
  } else {
    enter(std::make_unique<HeadPhase>(*this, early));
  }
}

bool Session::refuse_before_tls() {
  using telemetry::Rejection;
  if (!is_over_limit_ && (has_place_ || is_trusted_)) return false;
  record_rejection(is_over_limit_ ? Rejection::max_connections : Rejection::max_connections_per_ip);
  close();
  return true;
}

void Session::meet_certificate(const http::ClientCertificate& certificate) {
  client_cert_ = http::client_cert_element(certificate);
}

void Session::drain(net::Clock::time_point when, net::Clock::time_point latest) {
  const SessionPtr self{this};
  drain_at_ = when;
  drain_latest_ = latest;
  if (!is_closed_ && phase_) guarded([this, when] { phase_->on_drain(when); });
}

net::Clock::time_point Session::first_words_by(net::Clock::time_point when) const {
  return std::max(when, started_ + kFirstWords);
}

void Session::cut(std::string_view cause) {
  const SessionPtr self{this};
  say_last_words();
  set_ending(relay::EndedBy::operator_, websocket::close_code::abnormal, cause);
  close();
}

void Session::enter(std::unique_ptr<Phase> phase) {
  if (is_closed_) return;
  retire(std::exchange(phase_, std::move(phase)));
  phase_->begin();
  if (phase_ && drain_at_ != net::Clock::time_point::max()) phase_->on_drain(drain_at_);
}

void Session::retire(std::unique_ptr<Phase> phase) {
  // A phase may be the caller: it is destroyed by the loop, after that call has returned.
  if (phase) boost::asio::post(context_.io, [old = std::move(phase)] {});
}

void Session::open(Leg leg, net::Descriptor socket) {
  open(leg, std::make_unique<net::Transport>(context_.poller, std::move(socket)));
}

void Session::open(Leg leg, std::unique_ptr<net::Transport> transport) {
  transport->set_on_ready([this, leg](net::Transport::Ready ready) { on_ready(leg, ready); });
  wire(leg).transport = std::move(transport);
}

void Session::drop(Leg leg) {
  Wire& on = wire(leg);
  if (on.transport) {
    on.transport->close();
    boost::asio::post(context_.io, [old = std::move(on.transport)] {});
  }
  output(leg).clear();
  on.queue.drop();
}

std::unique_ptr<net::Transport> Session::release(Leg leg) {
  wire(leg).queue.drop();
  return std::move(wire(leg).transport);
}

void Session::want_readable(Leg leg) {
  if (wire(leg).is_open()) wire(leg).transport->wait_readable();
}

void Session::want_writable(Leg leg) {
  if (wire(leg).is_open()) wire(leg).transport->wait_writable();
}

Session::Input Session::read(Leg leg) {
  const base::MutableBytes buffer = context_.read_buffer;
  const net::IoResult result = wire(leg).transport->read_some(buffer);
  if (result.status == net::IoStatus::would_block) want_readable(leg);
  return {result.status, buffer.first(result.bytes), result.error};
}

base::ByteQueue& Session::output(Leg leg) {
  return wire(leg).queue.target(context_.scratch(leg));
}

net::IoStatus Session::send(Leg leg, base::Bytes bytes) {
  Wire& on = wire(leg);
  output(leg).append(bytes);
  const net::IoStatus status = on.queue.flush(*on.transport, context_.scratch(leg)).status;
  if (status == net::IoStatus::would_block) want_writable(leg);
  return status;
}

void Session::on_ready(Leg leg, net::Transport::Ready ready) {
  if (is_closed_ || !phase_) return;
  guarded([this, leg, ready] {
    if (ready == net::Transport::Ready::reading) {
      phase_->on_readable(leg);
    } else {
      phase_->on_writable(leg);
    }
  });
}

void Session::end_broken(const std::exception& error) {
  context_.log.write(telemetry::Level::error, "connection ended by an internal error",
                     {{"reason", error.what()}, {"request_id", facts_.request_id}});
  // What is half made for this connection must not reach the next one.
  context_.clear_buffers();
  set_ending(relay::EndedBy::proxy, websocket::close_code::internal_error, "internal error");
  is_broken_ = true;
  close();
}

void Session::set_deadline(net::Clock::time_point when) {
  if (is_closed_) return;
  deadline_ = when;
  // A wait that ends before it is left alone and looks again then: most deadlines move on before they come.
  if (when < wakes_at_) wait_for_deadline();
}

void Session::wait_for_deadline() {
  wakes_at_ = deadline_;
  deadline_timer_.expires_at(wakes_at_);  // cancels the wait before
  deadline_timer_.async_wait([self = SessionPtr{this}](const net::error_code& error) {
    if (error || self->is_closed_ || !self->phase_) return;
    self->guarded([&self] { self->on_timer(); });
  });
}

void Session::on_timer() {
  wakes_at_ = net::Clock::time_point::max();
  if (net::Clock::now() < deadline_) {
    if (deadline_ != net::Clock::time_point::max()) wait_for_deadline();
    return;
  }
  deadline_ = net::Clock::time_point::max();
  phase_->on_deadline();
}

void Session::want_turn() {
  if (std::exchange(waits_turn_, true)) return;
  boost::asio::post(context_.io, [self = SessionPtr{this}] {
    self->waits_turn_ = false;
    if (!self->is_closed_ && self->phase_) self->guarded([&self] { self->phase_->on_turn(); });
  });
}

void Session::take_first_place() {
  // A trusted proxy says with each request whose it is.
  if (!is_trusted_) take_place(peer_);
}

void Session::take_place(std::string address) {
  leave_address();
  place_ = std::move(address);
  const Quota::Entry entry = context_.quota.enter_address(place_);
  has_place_ = entry != Quota::Entry::refused;
  is_place_counted_ = entry == Quota::Entry::counted;
}

void Session::leave_address() {
  has_place_ = false;
  if (std::exchange(is_place_counted_, false)) context_.quota.leave_address(place_);
}

bool Session::may_shake_hands() {
  return context_.quota.try_handshake(place_, net::Clock::now());
}

bool Session::take_app_place() {
  if (!context_.quota.enter_app(*app(), upstream().max_connections)) return false;
  app_place_ = app();
  return true;
}

void Session::leave_place() {
  if (!std::exchange(is_refused_, true)) context_.refused.fetch_add(1, std::memory_order_relaxed);
  leave_app_place();
}

void Session::leave_app_place() {
  if (const AppPtr left = std::exchange(app_place_, nullptr)) context_.quota.leave_app(*left);
}

bool Session::may_pool_app() const {
  // An idle connection would hold a place, or tell the app of a client who is not the next one.
  return upstream().max_connections == 0 && upstream().proxy_protocol == config::ProxyHeader::off;
}

void Session::meet_client(const http::ProxiedAddresses& told) {
  if (!told.is_local) {
    told_ = std::make_unique<http::ProxiedAddresses>(told);
    peer_ = told.source.host;
    peer_port_ = told.source.port;
    local_port_ = told.destination.port;
    is_trusted_ = settings_->trusted_proxies.contains(peer_);
  }
  take_first_place();
}

http::ProxiedAddresses Session::addresses() {
  if (told_) return *told_;
  if (peer_.empty()) return {};
  const net::Target local = wire(Leg::client).transport->local();
  return {false, {peer_, peer_port_}, {local.host, local.port}};
}

std::uint16_t Session::local_port() {
  if (!local_port_) local_port_ = wire(Leg::client).transport->local().port;
  return *local_port_;
}

void Session::begin_request(const http::RequestHead& head, net::Clock::time_point begun) {
  renew_settings();
  facts_.started = begun;
  facts_.method = head.method;
  facts_.target = head.target;
  facts_.user_agent = head.fields.first("User-Agent");
  facts_.traceparent = head.fields.first("traceparent");
  const http::TargetParts target = http::split_target(head.target);
  const std::string_view host = target.authority.empty() ? head.fields.first("Host") : target.authority;
  destination_ = destination_of(config(), host, target.path.substr(0, target.path.find('?')));
  if (is_trusted_) {
    facts_.request_id = head.fields.joined("X-Request-Id");
    const AddressRanges& trusted = settings_->trusted_proxies;
    take_place(http::client_address(
        head.fields, peer_, [&trusted](const std::string& address) { return trusted.contains(address); }));
  }
  if (facts_.request_id.empty()) facts_.request_id = fresh_request_id(context_.mask_keys);
}

void Session::end_request() {
  count(facts_, context_.counters);
  write_access_line(*this);
  // Between its requests a trusted proxy's connection is nobody's.
  if (is_trusted_) take_place({});
  destination_ = default_destination(config());
  facts_ = {};
  facts_.started = net::Clock::now();
}

/// A request goes by what is in force when it has come, as long as its listener still is what it was.
void Session::renew_settings() {
  if (settings_ == context_.settings) return;
  const config::Listener& own = config().listeners[listener_];
  const auto& now = context_.config().listeners;
  const auto same = std::ranges::find_if(now, [&own](const config::Listener& other) {
    return other.address == own.address && other.tls.has_value() == own.tls.has_value();
  });
  if (same == now.end()) return;
  listener_ = static_cast<std::size_t>(same - now.begin());
  settings_ = context_.settings;
  const bool was_trusted = std::exchange(is_trusted_, settings_->trusted_proxies.contains(peer_));
  if (was_trusted) take_first_place();  // it had none between its requests
}

void Session::record_result(telemetry::ConnectionResult result) {
  if (std::exchange(has_result_, true)) return;
  ++listener_counters_->total[static_cast<std::size_t>(result)];
}

void Session::record_rejection(telemetry::Rejection reason) {
  ++context_.counters.rejected[static_cast<std::size_t>(reason)];
  record_result(telemetry::ConnectionResult::rejected);
}

void Session::record_upstream_error(telemetry::UpstreamError reason, std::string_view detail) {
  ++context_.counters.upstream_errors[static_cast<std::size_t>(reason)];
  context_.log.write(
      telemetry::Level::warning, "upstream error",
      {{"upstream", upstream().url.text()}, {"reason", detail}, {"request_id", facts_.request_id}});
}

void Session::set_ending(relay::EndedBy by, std::uint16_t code, std::string_view cause) {
  if (facts_.ending.by == relay::EndedBy::nobody) facts_.ending = {by, code, cause};
}

void Session::close() {
  if (std::exchange(is_closed_, true)) return;
  const SessionPtr self{this};  // the last reference may be in an operation cancelled here
  say_last_words();
  deadline_timer_.cancel();
  for (const Leg leg : {Leg::client, Leg::app}) {
    Wire& on = wire(leg);
    if (on.is_open()) on.transport->close();
    on.queue.drop();
    context_.scratch(leg).clear();  // the worker's: what is half made must not reach the next connection
  }
  record_result(telemetry::ConnectionResult::client_gone);
  --listener_counters_->active;
  const auto age = net::Clock::now() - started_;
  context_.counters.connection_seconds.observe(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count()));
  leave_address();
  leave_app_place();
  if (is_refused_) context_.refused.fetch_sub(1, std::memory_order_relaxed);
  context_.sessions.leave(*this);
  if (on_gone_) on_gone_();
  // What takes memory comes when everything is given back.
  retire(std::move(phase_));
  // A transport may be the caller, and is a part of this.
  boost::asio::post(context_.io, [open = std::move(self_)] {});
  count(facts_, context_.counters);
  write_access_line(*this);
}

void Session::say_last_words() {
  if (!phase_ || is_broken_) return;
  try {
    phase_->on_close();
  } catch (const std::exception&) {
    is_broken_ = true;  // out of memory: the end comes without them
  }
}

}  // namespace wsproxy::proxy
