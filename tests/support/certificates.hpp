#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "net/openssl.hpp"

/// Certificates of a test's own making, and a place for their files.
namespace wsproxy::test {

/// Is there as long as the object is.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  /// Makes the file, or writes it anew; returns its path.
  std::string write(const std::string& name, const std::string& text, unsigned mode = 0600) const;

 private:
  std::string folder_;
};

/// What a certificate shall say.
struct Wish {
  std::string common_name = "somebody";
  std::string
      names{};  // subjectAltName as OpenSSL's configuration has it: DNS:a.example,IP:127.0.0.1,URI:a:b
  std::chrono::seconds begins{-3600};  // from now
  std::chrono::seconds ends{24 * 3600};
  bool is_authority = false;
  bool has_rsa = false;  // else it is ECDSA with P-256
};

/// A certificate with its key.
class Identity {
 public:
  explicit Identity(const Wish& wish) : Identity(wish, nullptr) {}
  Identity(const Wish& wish, const Identity& issuer) : Identity(wish, &issuer) {}

  X509& certificate() const { return *certificate_; }
  EVP_PKEY& key() const { return *key_; }
  std::string certificate_pem() const;
  std::string key_pem() const;
  std::string encrypted_key_pem() const;
  /// A list of the certificates that this authority takes back.
  std::string revocations_pem(const std::vector<const Identity*>& revoked,
                              std::chrono::seconds next_update = std::chrono::hours{24}) const;

 private:
  Identity(const Wish& wish, const Identity* issuer);

  net::KeyPtr key_;
  net::X509Ptr certificate_;
};

/// An authority, made once a process.
const Identity& authority();
/// Another one.
const Identity& other_authority();

}  // namespace wsproxy::test
