#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "corpus.hpp"
#include "deflate.hpp"

namespace bench {

struct Message {
  std::string frame;    // masked, compressed if that was agreed: what goes to the socket
  std::string payload;  // what has to come back
};

/// Everything that the connections are going to send, encoded before the run.
/// With compression every connection has a stream of its own: were the streams equal, a proxy that
/// shares compressed bytes between connections would look better than it is. Without compression the
/// connections go round one pool, each from another start.
class Scripts {
 public:
  struct Plan {
    Kind kind = Kind::chat;
    std::size_t connections = 1;
    std::size_t messages = 1;  // of each connection
    std::uint64_t seed = 1;
    Agreement agreement;
  };

  explicit Scripts(const Plan& plan);
  /// index is below plan.messages.
  const Message& at(std::size_t connection, std::size_t index) const;

 private:
  bool is_shared_;
  std::vector<std::vector<Message>> streams_;  // one a connection, or only the pool
};

}  // namespace bench
