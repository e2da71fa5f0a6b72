#include "net/peer_certificate.hpp"

#include <array>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/openssl.hpp"

namespace wsproxy::net {
namespace {

std::string fingerprint_of(const X509& certificate) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  std::string text;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) return text;
  for (unsigned i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4U];
    text += kHex[digest[i] & 15U];
  }
  return text;
}

/// RFC 2253: the last part first, special characters escaped, what is no ASCII in hexadecimal.
std::string subject_of(const X509& certificate) {
  const BioPtr out{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(out.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_ctrl(out.get(), BIO_CTRL_INFO, 0, &text);
  return {text, static_cast<std::size_t>(size)};
}

void read_alternative_names(const X509& certificate, http::ClientCertificate& to) {
  const std::unique_ptr<GENERAL_NAMES, Releasing<GENERAL_NAMES_free>> all{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_URI && name->type != GEN_DNS) continue;
    const ASN1_STRING* text = name->type == GEN_URI ? name->d.uniformResourceIdentifier : name->d.dNSName;
    auto& names = name->type == GEN_URI ? to.uris : to.dns_names;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
}

}  // namespace

std::optional<http::ClientCertificate> peer_certificate(const SSL* ssl) {
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return std::nullopt;
  http::ClientCertificate result;
  result.fingerprint = fingerprint_of(*certificate);
  result.subject = subject_of(*certificate);
  read_alternative_names(*certificate, result);
  ERR_clear_error();  // of what is malformed in it
  return result;
}

}  // namespace wsproxy::net
