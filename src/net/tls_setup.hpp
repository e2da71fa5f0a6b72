#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/tls_client.hpp"
#include "net/tls_problem.hpp"
#include "net/tls_server.hpp"

namespace wsproxy::net {

class TlsTicketKeys;

/// All of a configuration's TLS. Copies share what they have, which never changes.
struct TlsSetup {
  std::vector<std::shared_ptr<const TlsServer>> listeners;  // in their order; nothing: it speaks plain
  std::vector<std::shared_ptr<const TlsClient>> apps;       // the upstream, then those of the routes
};

/// Reads all files; where one is broken nothing stands in its place. `tickets` outlive the result.
TlsSetup load_tls(const config::Config& config, TlsTicketKeys& tickets, TlsProblems& problems);

/// The same after files have changed: where the new ones are broken or expired, those of `before` stay in
/// use.
TlsSetup reload_tls(const config::Config& config, TlsTicketKeys& tickets, const TlsSetup& before,
                    TlsProblems& problems);

/// The files that it is made of, each once.
std::vector<std::string> tls_files(const config::Config& config);

}  // namespace wsproxy::net
