#include "support/certificates.hpp"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

namespace wsproxy::test {
namespace {

void require(bool is_good, const char* what) {
  if (!is_good) throw std::runtime_error(std::string{what} + ": " + net::take_openssl_error());
}

net::KeyPtr new_key(bool is_rsa) {
  if (!is_rsa) return net::KeyPtr{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  // One for all: it takes long.
  static const net::KeyPtr shared{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})};
  EVP_PKEY_up_ref(shared.get());
  return net::KeyPtr{shared.get()};
}

void set_name(X509_NAME* name, const std::string& common_name) {
  require(
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0) == 1,
      "name");
}

void extend(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value.c_str());
  X509_EXTENSION_free(extension);
}

template <auto write, class... Arguments>
std::string pem(Arguments... arguments) {
  const net::BioPtr out{BIO_new(BIO_s_mem())};
  require(write(out.get(), arguments...) == 1, "PEM");
  char* text = nullptr;
  const long size = BIO_ctrl(out.get(), BIO_CTRL_INFO, 0, &text);
  return {text, static_cast<std::size_t>(size)};
}

std::time_t at(std::chrono::seconds from_now) {
  return std::time(nullptr) + from_now.count();
}

}  // namespace

TemporaryFolder::TemporaryFolder() : folder_("/tmp/wsproxy-test-XXXXXX") {
  if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("mkdtemp");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& text, unsigned mode) const {
  std::ofstream{path(name), std::ios::binary} << text;
  if (::chmod(path(name).c_str(), mode) != 0) throw std::runtime_error("cannot write " + path(name));
  return path(name);
}

Identity::Identity(const Wish& wish, const Identity* issuer)
    : key_(new_key(wish.has_rsa)), certificate_(X509_new()) {
  static long serial = 0;
  X509* const made = certificate_.get();
  require(key_ != nullptr && X509_set_version(made, X509_VERSION_3) == 1, "certificate");
  ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(made), at(wish.begins));
  ASN1_TIME_set(X509_getm_notAfter(made), at(wish.ends));
  X509_set_pubkey(made, key_.get());
  set_name(X509_get_subject_name(made), wish.common_name);
  X509_set_issuer_name(made, X509_get_subject_name(issuer != nullptr ? &issuer->certificate() : made));
  if (wish.is_authority) extend(made, NID_basic_constraints, "critical,CA:TRUE");
  if (!wish.names.empty()) extend(made, NID_subject_alt_name, wish.names);
  require(X509_sign(made, issuer != nullptr ? &issuer->key() : key_.get(), EVP_sha256()) > 0, "signature");
}

std::string Identity::certificate_pem() const {
  return pem<PEM_write_bio_X509>(certificate_.get());
}

std::string Identity::key_pem() const {
  return pem<PEM_write_bio_PKCS8PrivateKey>(key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

std::string Identity::encrypted_key_pem() const {
  char secret[] = "secret";
  return pem<PEM_write_bio_PKCS8PrivateKey>(key_.get(), EVP_aes_256_cbc(), secret, 6, nullptr, nullptr);
}

std::string Identity::revocations_pem(const std::vector<const Identity*>& revoked,
                                      std::chrono::seconds next_update) const {
  const net::CrlPtr list{X509_CRL_new()};
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
  const std::unique_ptr<ASN1_TIME, net::Releasing<ASN1_TIME_free>> time{
      ASN1_TIME_set(nullptr, at(std::chrono::hours{-48}))};
  X509_CRL_set1_lastUpdate(list.get(), time.get());
  for (const Identity* one : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(&one->certificate()));
    X509_REVOKED_set_revocationDate(entry, time.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  ASN1_TIME_set(time.get(), at(next_update));
  X509_CRL_set1_nextUpdate(list.get(), time.get());
  require(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) > 0, "revocation list");
  return pem<PEM_write_bio_X509_CRL>(list.get());
}

const Identity& authority() {
  static const Identity made{{.common_name = "authority", .is_authority = true}};
  return made;
}

const Identity& other_authority() {
  static const Identity made{{.common_name = "other authority", .is_authority = true}};
  return made;
}

}  // namespace wsproxy::test
