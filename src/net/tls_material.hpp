#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/tls_files.hpp"

namespace wsproxy::net {

/// What the files of a listener's TLS hold. Copies share it.
struct TlsMaterial {
  std::vector<std::shared_ptr<const Credentials>> credentials;  // in the configuration's order
  std::shared_ptr<const std::vector<X509Ptr>> authorities;      // of clients; nothing: they are not asked
  std::shared_ptr<const std::vector<CrlPtr>> revocations;
};

/// Reads the files. What is broken, or has expired, is taken from `before` if that has better; each pair of a
/// certificate and its key by itself, so that one does not hold up the renewal of another. Nothing when
/// something is broken nevertheless.
std::optional<TlsMaterial> read_material(const config::ListenerTls& settings, const std::string& key,
                                         const TlsMaterial* before, TlsProblems& problems);

}  // namespace wsproxy::net
