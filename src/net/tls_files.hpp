#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "net/openssl.hpp"
#include "net/tls_problem.hpp"

/// Reads the PEM files that a configuration names. What is wrong is added to `problems` under the key of
/// the file, below `key`; only a result is good to be used. Blocks on the disk.
namespace wsproxy::net {

using SystemTime = std::chrono::system_clock::time_point;

/// A certificate with what goes with it.
struct Credentials {
  std::string file;
  X509Ptr leaf;
  std::vector<X509Ptr> chain;  // the authorities between it and a root
  KeyPtr key;
  std::vector<std::string> names;  // its DNS names, in lower case; may begin with *.
  SystemTime not_after;

  /// Of which there can be one a connection: EVP_PKEY_RSA, EVP_PKEY_EC and so on.
  int key_type() const { return EVP_PKEY_get_base_id(key.get()); }
};

/// A certificate and its key, which must match.
std::optional<Credentials> read_credentials(const config::Certificate& files, const std::string& key,
                                            TlsProblems& problems);

/// The certificates of authorities, at least one.
std::vector<X509Ptr> read_authorities(const std::string& file, const std::string& key, TlsProblems& problems);

/// Revocation lists, at least one.
std::vector<CrlPtr> read_revocations(const std::string& file, const std::string& key, TlsProblems& problems);

}  // namespace wsproxy::net
