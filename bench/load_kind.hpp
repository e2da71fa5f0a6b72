#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "channel.hpp"
#include "corpus.hpp"

namespace bench {

struct LoadOptions {
  Endpoint server;             // what is measured
  std::uint16_t app_port = 0;  // publishers of feeds go straight to the app
  Kind kind = Kind::chat;
  bool offers_deflate = false;
  std::size_t connections = 50;
  std::size_t warmup = 20;     // messages of each connection before the measured ones
  std::size_t messages = 500;  // of each connection; of a feed: broadcasts
  std::size_t depth = 1;       // messages on the way at a time on a connection
  double rate = 0;             // messages a second in total; 0 is as fast as answers come
  std::size_t feeds = 0;       // 0 is echo
  bool is_handshakes = false;  // no messages: connections come and go
  double private_share = 0;    // private messages a subscriber gets for each broadcast
  double storm = 0;            // TLS handshakes a second beside the messages
  std::uint64_t seed = 1;

  std::string offer() const { return offers_deflate ? "permessage-deflate; client_max_window_bits" : ""; }
};

struct Result {
  std::uint64_t messages = 0;  // echoes, deliveries of a feed, or handshakes
  double seconds = 0;
  std::uint64_t payload_bytes = 0;   // of the answers or deliveries
  std::uint64_t received_bytes = 0;  // on the wire, frame heads included, HTTP and TCP not, TLS is
  std::uint64_t sent_bytes = 0;
  std::vector<std::int64_t> latencies_ns;
  std::vector<std::int64_t> lateness_ns;  // at a rate: how long after it was due a message was sent
  std::uint64_t storm_handshakes = 0;
  std::string tls;  // what was agreed, as of one connection; empty without
};

/// A load in its three steps; between them the caller may look at the proxy.
class Load {
 public:
  virtual ~Load() = default;
  virtual void connect() = 0;
  virtual void warm_up() = 0;
  virtual Result run() = 0;
  virtual void disconnect() = 0;
  /// Whether the peer agreed to compress.
  virtual bool is_compressed() const = 0;
};

}  // namespace bench
