#pragma once

#include <optional>

#include "http/exchange.hpp"
#include "net/connector.hpp"
#include "net/transport.hpp"
#include "proxy/phase.hpp"

namespace wsproxy::proxy {

class Session;

/// Passes one plain request on to the app and its answer back. Carries bytes between the two legs and
/// http::Exchange, which decides everything about the protocol. A connection that goes on returns to the
/// head phase, which also gets what the client has sent ahead.
///
/// Memory: for each leg at most one read of the other that it does not take (then that one is not read),
/// and one read of what the client sent ahead.
class ForwardPhase : public Phase {
 public:
  /// `early` came behind the head in the same read.
  ForwardPhase(Session& session, http::RequestHead request, base::Bytes early);
  void begin() override;
  void on_readable(Leg leg) override;
  void on_writable(Leg leg) override;
  void on_deadline() override;
  void on_drain(net::Clock::time_point when) override;
  void on_close() override;

 private:
  enum class Stage : std::uint8_t {
    passing,
    finished,  // the client has yet to take the rest of its answer
    cutting,   // the client has yet to take what came before the app was lost
  };
  /// Whom the exchange waits for.
  enum class Debtor : std::uint8_t { app, client, nobody };

  void connect();
  void on_connected(net::ConnectResult result);
  void send_request();
  void on_client_bytes(base::Bytes input);
  void pass_body(base::Bytes input);
  net::IoStatus send(Leg leg);
  void send_to_app();
  void on_client_end();
  void lose_client(std::string_view cause);
  void on_app_bytes(base::Bytes input);
  void on_bad_answer();
  void on_app_end(bool is_in_order, std::string_view cause);
  /// False when the client is gone, and the session with it.
  bool send_to_client();
  void settle();
  /// Whether the client has sent another request ahead, which it will get an answer to.
  bool has_next_request() const;
  void cut(relay::EndedBy by, std::string_view cause);
  void end_cut();
  void finish(bool app_said_no_more);
  void go_on();
  void note_bodies();
  Debtor debtor() const;
  bool waits_for_continue() const;
  void arm();
  bool is_connected() const;

  Session& session_;
  base::ByteQueue early_;  // of the client, not looked at yet: the body, or the next request
  http::Exchange exchange_;
  std::optional<net::Connector> connector_;
  Stage stage_ = Stage::passing;
  bool is_reused_ = false;    // the app's connection has carried a request before
  bool is_app_deaf_ = false;  // writing to it failed: what is for it is dropped
  bool client_has_ended_ = false;
  bool app_knows_end_ = false;  // that the client has ended
};

}  // namespace wsproxy::proxy
