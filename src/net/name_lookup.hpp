#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "net/types.hpp"

namespace wsproxy::net {

struct FoundAddresses {
  error_code error;
  std::vector<asio::ip::address>
      addresses;  // in the order in which to try them; at least one without an error
};

/// Asks the system for the addresses of a name. Blocks, for as long as the name servers take. Alone in
/// system_names.cpp: a test may link another one.
FoundAddresses look_up(const std::string& name);

/// One question for the addresses of a name, asked from a loop: a thread of the process blocks in its place.
/// Those who ask for a name that is just being looked up share the answer. Neither the destructor nor the
/// process's exit waits for name servers. One worker's thread; `io` outlives it.
class NameLookup {
 public:
  using OnFound = std::function<void(FoundAddresses)>;

  /// `on_found` comes once from the loop, unless this is destroyed before.
  NameLookup(IoContext& io, const std::string& name, OnFound on_found);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

 private:
  class Request;
  class Desk;
  static Desk& desk();

  std::shared_ptr<Request> request_;
};

}  // namespace wsproxy::net
