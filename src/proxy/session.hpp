#pragma once

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "http/client_certificate.hpp"
#include "http/proxy_protocol.hpp"
#include "http/request_head.hpp"
#include "net/endpoint.hpp"
#include "proxy/context.hpp"
#include "proxy/destination.hpp"
#include "proxy/phase.hpp"
#include "proxy/session_facts.hpp"
#include "proxy/wire.hpp"

namespace wsproxy::proxy {

class Session;
using SessionPtr = boost::intrusive_ptr<Session>;

/// Who came, and on which listener.
struct Arrival {
  net::Descriptor socket;
  std::size_t listener = 0;
  net::Target peer;            // without a host for a unix socket
  bool is_over_limit = false;  // limits.max_connections is reached: gets 503
};

/// One client connection from accept to access line. Owns both legs and is the only place that
/// closes them. Lives from start() until the turn after close(), longer if a timer or a connector still
/// holds a SessionPtr; close() may be called twice. One worker's thread.
class Session : public boost::intrusive_ref_counter<Session, boost::thread_unsafe_counter>,
                public RegistryPlace {
 public:
  /// `on_gone` is called once, when the session has closed.
  Session(Context& context, Arrival arrival, std::function<void()> on_gone);
  ~Session();

  /// Enters the registry and reads the request.
  static void start(const SessionPtr& session);

  /// Drains: a connection that is being relayed gets its close frame at `when`; behind what its app has sent
  /// by then, unless that takes until `latest`.
  void drain(net::Clock::time_point when, net::Clock::time_point latest = {});
  /// Ends it now, whatever it is doing; the last word of a drain.
  void cut(std::string_view cause);

  // For the phases.
  Context& context() { return context_; }
  const Settings& settings() const { return *settings_; }
  const config::Config& config() const { return *settings_->config; }
  Wire& wire(Leg leg) { return wires_[static_cast<std::size_t>(leg)]; }
  SessionFacts& facts() { return facts_; }
  /// What the route of its request says; before there is one, the defaults.
  const config::Upstream& upstream() const { return *destination_.upstream; }
  const config::Compression& compression() const { return *destination_.compression; }
  const config::Limits& limits() const { return *destination_.limits; }
  /// The number of its app in its settings.
  std::size_t app_number() const { return destination_.number; }
  const AppPtr& app() const { return settings_->apps[app_number()]; }
  /// The client's address without its port; empty for a unix socket.
  const std::string& peer() const { return peer_; }
  /// For logs, with its port.
  std::string client() const { return peer_.empty() ? "unix" : net::text({peer_, peer_port_, {}}); }
  std::size_t listener() const { return listener_; }
  /// Whether it is a WebSocket connection now, and whether one side waits there for the other.
  bool is_relayed() const { return phase_ && phase_->is_relay(); }
  bool is_paused() const { return phase_ && phase_->is_paused(); }
  bool is_over_limit() const { return is_over_limit_; }
  /// Whether its listener speaks TLS.
  bool is_secure() const { return config().listeners[listener_].tls.has_value(); }
  /// What X-Forwarded-Client-Cert says of a client that has shown a certificate; else empty.
  const std::string& client_cert() const { return client_cert_; }
  /// Whether limits.max_connections_per_ip has a place for it.
  bool has_place() const { return has_place_; }
  /// Whether its address may make another handshake now (limits.handshakes_per_second_per_ip).
  bool may_shake_hands();
  /// Takes a place of upstream.max_connections until the session closes; false when there is none.
  bool take_app_place();
  /// It has had its answer: it holds no place any more, here or at the app.
  void leave_place();
  void leave_app_place();
  /// Whether its connection to the app may carry the requests of others after its own.
  bool may_pool_app() const;
  net::Clock::time_point started() const { return started_; }
  bool is_draining() const { return drain_at_ != net::Clock::time_point::max(); }
  net::Clock::time_point drain_latest() const { return drain_latest_; }
  /// The peer is one of headers.trusted_proxies.
  bool is_trusted() const { return is_trusted_; }
  /// Behind what a balancer says, if it does: TLS where the listener has it, then the first request. `early`
  /// has come already.
  void begin_first_request(base::Bytes early);
  void meet_certificate(const http::ClientCertificate& certificate);
  /// What the header of a balancer says of the client, ahead of the first request.
  void meet_client(const http::ProxiedAddresses& told);
  /// Both ends of the client's connection, for the header that an app gets.
  http::ProxiedAddresses addresses();
  /// The port that the client reached; 0 for a unix socket.
  std::uint16_t local_port();

  /// A request head has come: whose it is, where it goes, what the access line tells of it.
  void begin_request(const http::RequestHead& head, net::Clock::time_point begun);
  /// The request is over, the connection goes on: writes the access line.
  void end_request();

  void enter(std::unique_ptr<Phase> phase);
  void open(Leg leg, net::Descriptor socket);
  void open(Leg leg, std::unique_ptr<net::Transport> transport);
  /// Closes a leg and forgets what was for it; also from within a call of its transport.
  void drop(Leg leg);
  /// Gives an open leg away, on which nothing waits to be written.
  std::unique_ptr<net::Transport> release(Leg leg);
  void want_readable(Leg leg);
  void want_writable(Leg leg);
  struct Input {
    net::IoStatus status;
    base::MutableBytes bytes;  // when done; in the worker's buffer, until something else is read
    net::error_code error;     // when failed
  };
  /// What has come on an open leg; when nothing has, on_readable() comes again.
  Input read(Leg leg);
  /// Where output for a leg belongs until it is sent, within one event.
  base::ByteQueue& output(Leg leg);
  /// Writes to an open leg what waits for it and `bytes`; on would_block on_writable() comes for the rest.
  net::IoStatus send(Leg leg, base::Bytes bytes = {});
  /// Replaces the deadline; Time::max() for none.
  void set_deadline(net::Clock::time_point when);
  /// Phase::on_turn() when the other connections of this worker have had theirs.
  void want_turn();

  void record_result(telemetry::ConnectionResult result);
  void record_rejection(telemetry::Rejection reason);
  void record_upstream_error(telemetry::UpstreamError reason, std::string_view detail);
  /// Runs a handler of this session; what it throws (memory, threads) ends this connection and no other. A
  /// closed one has no handlers: what was on its way to them meanwhile is dropped.
  template <typename Handler>
  void guarded(Handler&& handler) {
    if (is_closed_) return;
    try {
      handler();
    } catch (const std::exception& error) {
      end_broken(error);
    }
    context_.end_event();
  }
  void set_ending(relay::EndedBy by, std::uint16_t code, std::string_view cause);
  void close();
  /// How long a drain waits for the first words of whoever has just come, whose turn is at `when`.
  net::Clock::time_point first_words_by(net::Clock::time_point when) const;

 private:
  void on_ready(Leg leg, net::Transport::Ready ready);
  void end_broken(const std::exception& error);
  void wait_for_deadline();
  void on_timer();
  void retire(std::unique_ptr<Phase> phase);
  void say_last_words();
  void take_first_place();
  /// Closes one that has no place here without an answer: a handshake, only to say so, is what a flood would
  /// want.
  bool refuse_before_tls();
  void take_place(std::string address);
  void leave_address();
  void renew_settings();

  Context& context_;
  SessionPtr self_;  // while it is open
  std::shared_ptr<const Settings> settings_;
  Destination destination_;
  std::size_t listener_;
  telemetry::ListenerCounters* listener_counters_;  // the worker's, where it is counted as active
  std::optional<std::uint16_t> local_port_;
  std::unique_ptr<http::ProxiedAddresses> told_;  // by a balancer's header, unless that keeps the socket's
  std::string peer_;
  std::string client_cert_;
  std::uint16_t peer_port_;
  bool is_over_limit_;
  bool is_trusted_;
  std::string place_;  // the address that has_place_ is of
  bool has_place_ = false;
  bool is_place_counted_ = false;
  AppPtr app_place_;  // where it holds a place of upstream.max_connections
  bool is_refused_;   // counted in Context::refused
  bool is_closed_ = false;
  bool is_broken_ = false;  // a handler threw: its phase is not asked any more
  bool has_result_ = false;
  bool waits_turn_ = false;
  std::function<void()> on_gone_;
  std::array<Wire, 2> wires_;
  net::Timer deadline_timer_;
  net::Clock::time_point deadline_ = net::Clock::time_point::max();
  net::Clock::time_point wakes_at_ = net::Clock::time_point::max();  // the timer, perhaps before the deadline
  net::Clock::time_point started_ = net::Clock::now();
  net::Clock::time_point drain_at_ = net::Clock::time_point::max();
  net::Clock::time_point drain_latest_{};
  SessionFacts facts_;
  std::unique_ptr<Phase> phase_;
};

}  // namespace wsproxy::proxy
