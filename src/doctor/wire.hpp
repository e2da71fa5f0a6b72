#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_queue.hpp"
#include "doctor/target.hpp"

namespace wsproxy::doctor {

/// How a connection's TLS is made; what the usual client would not do is for the checks of TLS.
struct TlsTerms {
  bool verifies = false;        // the certificate, for the target's host
  bool only_before_12 = false;  // offers TLS 1.0 and 1.1 and nothing newer
};

/// One connection to a server, TCP or TLS on it, for a tool that has nothing else to do: each call waits,
/// no longer than it is told. Nothing throws; after an error the connection is over. Not thread-safe.
class Wire {
 public:
  using Patience = std::chrono::milliseconds;

  Wire();
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// False: problem() says why.
  bool open(const Target& target, const TlsTerms& terms);
  enum class Progress : unsigned char {
    taken,    // by the system, all of it
    blocked,  // not all of it; what is left goes out as soon as it can, in calls to come
    over,     // the connection takes no more
  };
  Progress send(base::Bytes bytes, Patience patience);

  enum class Receipt : unsigned char { bytes, nothing, end };
  /// Waits for bytes, which are added to `to`. `end`: the server ended the connection, in order or by reset.
  Receipt receive(base::ByteQueue& to, Patience patience);

  /// Until the server ends the connection, whatever comes before that; false when it has not in that time.
  bool wait_for_end(Patience patience);

  /// Why there is no connection, or what ended it other than its orderly end.
  const std::string& problem() const { return problem_; }
  /// Whether the server would have no TLS with us: by an alert, or by leaving in its handshake.
  bool is_refused_by_tls() const { return is_refused_by_tls_; }

 private:
  class Link;
  std::unique_ptr<Link> link_;
  std::string problem_;
  bool is_refused_by_tls_ = false;
};

}  // namespace wsproxy::doctor
