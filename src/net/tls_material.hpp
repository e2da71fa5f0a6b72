#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/tls_files.hpp"

namespace wsproxy::net {

/// What files of TLS hold. Copies share it.
struct TlsMaterial {
  std::vector<std::shared_ptr<const Credentials>> credentials;  // in the configuration's order
  std::shared_ptr<const std::vector<X509Ptr>> authorities;      // of the peer; nothing: none are named
  std::shared_ptr<const std::vector<CrlPtr>> revocations;
};

/// Reads the files of a listener. What is broken, or has expired, is taken from `before` if that has better;
/// each pair of a certificate and its key by itself, so that one does not hold up the renewal of another.
/// Nothing when something is broken nevertheless.
std::optional<TlsMaterial> read_material(const config::ListenerTls& settings, const std::string& key,
                                         const TlsMaterial* before, TlsProblems& problems);

/// The same for an app: its authorities, and the proxy's own certificate, as the settings name them.
std::optional<TlsMaterial> read_material(const config::UpstreamTls& settings, const std::string& key,
                                         const TlsMaterial* before, TlsProblems& problems);

}  // namespace wsproxy::net
