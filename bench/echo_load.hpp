#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "connection.hpp"
#include "load_kind.hpp"
#include "script.hpp"

namespace bench {

/// Every connection sends its messages and checks that each comes back. Closed loop: the next is sent
/// when an answer came. At a rate: sent when it is due, whatever has come back; the latency counts
/// from when it was due, so that a peer that stalls cannot hide it.
class EchoLoad : public Load {
 public:
  explicit EchoLoad(const LoadOptions& options) : options_(options) {}
  void connect() override;
  void warm_up() override;
  Result run() override;
  void disconnect() override;
  bool is_compressed() const override { return agreement_.is_on; }

 private:
  struct Member {
    Connection connection;
    std::size_t next_to_send = 0;
    std::size_t next_to_come = 0;
    std::deque<std::int64_t> sent_at_ns{};
  };

  void run_closed_loop(std::size_t messages, Result& result);
  void run_at_rate(std::size_t messages, Result& result);
  void send_next(std::size_t index, std::int64_t at_ns);
  /// Reads all answers that came; returns how many.
  std::size_t collect(const Poller::Event& event, Result& result);
  void check(std::size_t index, Opcode opcode, std::string_view text) const;
  void count_bytes(Result& result, int sign) const;

  LoadOptions options_;
  Agreement agreement_;
  std::optional<Scripts> scripts_;
  std::vector<Member> members_;
  Poller poller_;
};

}  // namespace bench
