#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"
#include "load_kind.hpp"

namespace bench {

/// WebSockets that are opened, upgraded and closed again, so many at a time: no message, but a whole
/// life of a connection, ended by close frames both ways. The latency is from before connecting to the
/// checked 101. Over TLS each handshake is a full one.
class HandshakeLoad : public Load {
 public:
  explicit HandshakeLoad(const LoadOptions& options) : options_(options), places_(options.connections) {}
  void connect() override;
  void warm_up() override;
  Result run() override;
  void disconnect() override {}
  bool is_compressed() const override { return agreement_.is_on; }

 private:
  struct Place {
    Channel channel;
    std::string came;  // not yet judged
    std::int64_t begun_ns = 0;
    bool is_secured = false;
    bool is_upgraded = false;
    bool is_open = false;
  };

  void make(std::size_t handshakes, Result& result);
  void open(std::size_t index);
  /// Asks for the upgrade when TLS is there.
  void secure(Place& place) const;
  /// Goes on with the connection at this place; whether it is over.
  bool advance(Place& place, Result& result) const;
  void judge(Place& place, Result& result) const;

  LoadOptions options_;
  Agreement agreement_;
  std::string tls_;
  Poller poller_;
  std::vector<Place> places_;
};

}  // namespace bench
