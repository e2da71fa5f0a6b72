#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "net/endpoint.hpp"
#include "net/name_lookup.hpp"
#include "net/tls_client.hpp"
#include "net/transport.hpp"
#include "net/types.hpp"

namespace wsproxy::net {

enum class ConnectStatus : std::uint8_t { connected, unresolved, refused, timed_out, tls_failed };

struct ConnectResult {
  ConnectStatus status = ConnectStatus::connected;
  std::string reason;                    // of the last failure, for logs; empty when connected
  std::unique_ptr<Transport> transport;  // when connected; it tells nobody yet
};

/// Connects to a target: resolves its name, tries its addresses in turn, and tries again (10 ms
/// later, then twice as long, up to 500 ms) for `total`, since the application beside a sidecar is often
/// still starting. An address that does not answer gets an even share of what is left, at least 250 ms.
/// Whoever has accepted the connection has what is left for the TLS handshake, which is tried once.
/// Calls back exactly once, unless cancel() or the destructor comes first; never from within start(), which
/// may throw. What is thrown after that (memory) is a failed connection. It may be destroyed by its callback.
/// One worker's thread; poller and loop outlive it.
///
///   start --> [resolving] --> connecting --> connected [--> securing]
///                 ^               | all addresses have failed
///                 `--- pausing <--'
class Connector : private Poller::Watch {
 public:
  using Callback = std::function<void(ConnectResult)>;

  Connector(IoContext& io, Poller& poller, Target target, Clock::duration total);
  ~Connector() override;
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Before start(): the target speaks TLS, and gets `preface` as it is ahead of it. The buffers outlive
  /// this.
  void secure(std::shared_ptr<const TlsClient> tls, TlsBuffers& buffers, std::string preface);
  void start(Callback callback);
  void cancel();

 private:
  enum class Stage : std::uint8_t { idle, resolving, connecting, connected, securing, pausing };
  struct Alarm;

  template <class Step>
  void guarded(Step&& step);
  void on_events(Poller::Events events) override;
  void begin_round();
  void on_found(const FoundAddresses& found);
  void try_next();
  bool connect_to(const Protocol::endpoint& endpoint);
  void on_turn();
  void on_writable();
  void on_connected();
  void shake_hands();
  void fail(ConnectStatus status, std::string reason);
  void pause();
  void wake_at(Clock::time_point when);
  void on_alarm();
  Clock::time_point end_of_attempt() const;
  void finish(ConnectStatus status);

  IoContext& io_;
  Poller& poller_;
  Target target_;
  Clock::duration total_;
  Clock::time_point deadline_;
  Clock::duration pause_;
  Stage stage_ = Stage::idle;
  int turns_ = 0;                                    // of the loop since connect() was called
  ConnectStatus status_ = ConnectStatus::timed_out;  // what to say when the deadline comes
  std::string reason_;                               // of the last failure
  std::vector<Protocol::endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  std::unique_ptr<Transport> transport_;
  struct Securing;
  std::unique_ptr<Securing> securing_;
  std::unique_ptr<NameLookup> lookup_;
  std::shared_ptr<Alarm> alarm_;  // only when something does not complete at once
  Callback callback_;
  bool* has_called_ = nullptr;  // of the step under way
};

}  // namespace wsproxy::net
