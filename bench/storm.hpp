#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "channel.hpp"
#include "connection.hpp"

namespace bench {

/// Clients that come at a steady rate, whatever becomes of those before, shake hands over TLS and leave again
/// without a request; beside a load, from a thread that lets the load's own go first.
class Storm {
 public:
  /// Begins at once.
  Storm(const Endpoint& server, double handshakes_a_second);
  ~Storm();
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  /// Ends it and says how many handshakes were made, each to the server's end of the stream. Throws what went
  /// wrong meanwhile.
  std::uint64_t end();

 private:
  struct Place {
    Channel channel;
    bool is_secured = false;
  };

  void run();
  void make();
  /// Whether the connection at this place is over.
  static bool advance(Place& place);

  const Endpoint server_;
  const double gap_ns_;
  // The thread's own while it runs.
  Poller poller_;
  std::vector<Place> places_;
  std::vector<std::size_t> free_;
  std::uint64_t made_ = 0;
  std::exception_ptr fault_;

  std::atomic<bool> is_over_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace bench
