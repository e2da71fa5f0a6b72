#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "base/byte_queue.hpp"

namespace wsproxy::net {

class SideThread;

/// A connection's TLS while OpenSSL may hold the buffers of its records, two of 17 KB.
class WarmStream
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>> {
 public:
  virtual ~WarmStream() = default;

 protected:
  /// Gives the buffers back, unless part of a record is in them.
  virtual void cool() = 0;

 private:
  friend class TlsBuffers;
  std::uint32_t round_ = 0;
};

/// What a worker's connections share for TLS. Ciphertext on its way between sockets and OpenSSL is lent to
/// each for the length of one call, so that none owns a buffer for it. OpenSSL's own stay with the kMostWarm
/// connections that were busy last, since getting them anew costs a few percent of a message; nobody keeps
/// them for longer than two rounds of housekeeping. One thread; outlives every stream.
class TlsBuffers {
 public:
  /// With a record that had begun before, what is opened of it fits into the worker's read buffer.
  static constexpr std::size_t kArrived = std::size_t{96} << 10;
  static constexpr std::size_t kMostWarm = 64;

  /// For handshakes while `spares_loop`; nothing: they are made on this thread. Outlives every stream.
  SideThread* side = nullptr;
  /// Whether messages flow that would have to wait for handshakes. Else the way to another thread and back, a
  /// sixth of what one costs on the same CPU, is better saved.
  bool spares_loop = false;
  std::vector<std::byte> arrived = std::vector<std::byte>(kArrived);
  base::ByteQueue sealed;  // empty between two calls

  /// At the beginning of a call: what one left behind that ended for want of memory is another connection's.
  void forget_unfinished() { sealed.clear(); }
  /// This one is about to be busy.
  void warm(WarmStream& stream);
  /// It is no more.
  void forget(WarmStream& stream);
  /// To be called every second.
  void keep_house();
  std::size_t warm_streams() const { return warm_.size(); }

 private:
  void cool_oldest();

  boost::intrusive::list<WarmStream> warm_;  // the one that was busy last is in front
  std::uint32_t round_ = 1;
};

}  // namespace wsproxy::net
