#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/descriptor.hpp"
#include "net/endpoint.hpp"
#include "net/types.hpp"

namespace wsproxy::net {

enum class ConnectStatus : std::uint8_t { connected, unresolved, refused, timed_out };

struct ConnectResult {
  ConnectStatus status = ConnectStatus::connected;
  error_code error;   // the last one seen
  Descriptor socket;  // when connected
};

/// Connects to a target: resolves its name, tries its addresses in turn, and tries again (10 ms
/// later, then twice as long, up to 500 ms) until `deadline`, since the application beside a sidecar
/// is often still starting. Calls back exactly once, unless cancel() or the destructor comes first;
/// never from within start(). One worker's thread.
class Connector {
 public:
  using Callback = std::function<void(ConnectResult)>;

  Connector(IoContext& io, Target target, Clock::duration total);
  ~Connector() { cancel(); }
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  void start(Callback callback);
  void cancel();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the operations under way, which outlive a cancel()
};

}  // namespace wsproxy::net
