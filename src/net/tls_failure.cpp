#include "net/tls_failure.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace wsproxy::net {
namespace {

using Reason = telemetry::TlsFailureReason;

/// The first error that the TLS of OpenSSL itself has reported; what lies below it says less.
unsigned long take_first_of_tls() {
  unsigned long first = ERR_peek_error();
  while (const unsigned long code = ERR_get_error()) {
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) continue;
    first = code;
    break;
  }
  ERR_clear_error();
  return first;
}

Reason reason_of(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return Reason::other;
  const int reason = ERR_GET_REASON(code);
  // A peer's alert is its number above this.
  if (reason >= SSL_AD_REASON_OFFSET) return Reason::alert;
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return Reason::protocol_version;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_CIPHERS_SPECIFIED:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
      return Reason::no_shared_cipher;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return Reason::no_certificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return Reason::bad_certificate;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return Reason::alpn;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_LENGTH_MISMATCH:
    case SSL_R_LENGTH_TOO_SHORT:
    case SSL_R_BAD_LENGTH:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_BAD_EXTENSION:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_RECORD_TOO_SMALL:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
    case SSL_R_DATA_LENGTH_TOO_LONG:
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_UNEXPECTED_RECORD:
    case SSL_R_UNSOLICITED_EXTENSION:
      return Reason::garbage;
    default:
      return Reason::other;
  }
}

std::string in_words(unsigned long code) {
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : "the TLS layer failed";
}

}  // namespace

TlsFailure take_failure(const SSL* ssl) {
  const unsigned long code = take_first_of_tls();
  TlsFailure failure{reason_of(code), in_words(code)};
  const long verified = SSL_get_verify_result(ssl);
  if (failure.reason == Reason::bad_certificate && verified != X509_V_OK) {
    failure.detail += ": ";
    failure.detail += X509_verify_cert_error_string(verified);
  }
  return failure;
}

}  // namespace wsproxy::net
