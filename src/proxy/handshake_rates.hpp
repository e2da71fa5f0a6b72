#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "proxy/token_bucket.hpp"

namespace wsproxy::proxy {

/// How many handshakes a second each address may make: at once a second's worth. Whoever has been silent for
/// a second is as good as new and is forgotten. A flood from more addresses than are kept forgets those that
/// have been silent longest: memory stays bounded (about 170 bytes an address) and nobody is locked out. A
/// call takes time logarithmic in the addresses kept, whatever they are.
class HandshakeRates {
 public:
  using Clock = TokenBucket::Clock;

  /// A rate of 0 is none.
  explicit HandshakeRates(std::uint32_t per_second, std::size_t most_addresses = 65536)
      : per_second_(per_second), most_addresses_(most_addresses) {}
  HandshakeRates(const HandshakeRates&) = delete;
  HandshakeRates& operator=(const HandshakeRates&) = delete;

  bool is_off() const { return per_second_ <= 0; }
  /// False when this address must wait. An empty key is nobody's.
  bool try_one(const std::string& key, Clock::time_point now);
  std::size_t addresses() const { return index_.size(); }

 private:
  struct Address {
    std::string key;
    TokenBucket bucket;
    Clock::time_point last_try;
  };
  using Addresses = std::list<Address>;

  Addresses::iterator find_or_add(const std::string& key, Clock::time_point now);
  void forget_the_silent(Clock::time_point now);
  void forget_oldest();

  double per_second_;
  std::size_t most_addresses_;
  Addresses addresses_;  // who tried last comes first
  std::map<std::string_view, Addresses::iterator> index_;
};

}  // namespace wsproxy::proxy
