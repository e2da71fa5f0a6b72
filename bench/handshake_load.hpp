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
/// checked 101.
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
    Descriptor socket;
    std::string came;  // not yet judged
    std::int64_t begun_ns = 0;
    bool is_upgraded = false;
    bool is_open = false;
  };

  void make(std::size_t handshakes, Result& result);
  void open(std::size_t index);
  /// Whether the connection at this place is over.
  bool on_readable(Place& place, Result& result) const;
  void judge(Place& place, Result& result) const;

  LoadOptions options_;
  Agreement agreement_;
  Poller poller_;
  std::vector<Place> places_;
};

}  // namespace bench
