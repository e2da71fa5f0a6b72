#include "net/tls_ticket_keys.hpp"

#include <algorithm>
#include <cstdlib>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

namespace wsproxy::net {
namespace {

TlsTicketKeys::Key fresh_key() {
  TlsTicketKeys::Key key{};
  // Without randomness there is no TLS either.
  if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
      RAND_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
      RAND_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1) {
    std::abort();
  }
  return key;
}

int place_of_keys() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

bool use(const TlsTicketKeys::Key& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
         bool seals) {
  char digest[] = "SHA256";
  auto mac_key = key.mac;
  const std::array<OSSL_PARAM, 3> params{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  const bool is_good =
      EVP_MAC_CTX_set_params(mac, params.data()) == 1 &&
      EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, seals ? 1 : 0) == 1;
  OPENSSL_cleanse(mac_key.data(), mac_key.size());
  return is_good;
}

/// As SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants it: 1 go on, 2 go on and give a new ticket, 0 no such
/// key, which makes it a full handshake, -1 an error.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              int seals) {
  auto* keys = static_cast<TlsTicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), place_of_keys()));
  const auto now = TlsTicketKeys::Clock::now();
  TlsTicketKeys::Key key{};
  TlsTicketKeys::Age age = TlsTicketKeys::Age::current;
  if (seals == 1) {
    key = keys->current(now);
    if (RAND_bytes(iv, TlsTicketKeys::kIvBytes) != 1) return -1;
    std::copy(key.name.begin(), key.name.end(), name);
  } else {
    age = keys->find(name, now, key);
  }
  if (age == TlsTicketKeys::Age::unknown) return 0;
  const bool is_good = use(key, iv, cipher, mac, seals == 1);
  OPENSSL_cleanse(&key, sizeof key);
  if (!is_good) return -1;
  return age == TlsTicketKeys::Age::current ? 1 : 2;
}

}  // namespace

TlsTicketKeys::TlsTicketKeys(Clock::time_point now) : current_(fresh_key()), made_(now) {
}

TlsTicketKeys::~TlsTicketKeys() {
  OPENSSL_cleanse(&current_, sizeof current_);
  OPENSSL_cleanse(&previous_, sizeof previous_);
}

TlsTicketKeys::Key TlsTicketKeys::current(Clock::time_point now) {
  const std::lock_guard lock{mutex_};
  rotate(now);
  return current_;
}

TlsTicketKeys::Age TlsTicketKeys::find(const unsigned char* name, Clock::time_point now, Key& found) {
  const std::lock_guard lock{mutex_};
  rotate(now);
  const auto is_named = [name](const Key& key) { return std::equal(key.name.begin(), key.name.end(), name); };
  if (is_named(current_)) {
    found = current_;
    return Age::current;
  }
  if (!has_previous_ || !is_named(previous_)) return Age::unknown;
  found = previous_;
  return Age::previous;
}

void TlsTicketKeys::install(SSL_CTX* context) {
  SSL_CTX_set_ex_data(context, place_of_keys(), this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
  SSL_CTX_set_timeout(context, static_cast<long>(std::chrono::seconds{kLifetime}.count()));
}

void TlsTicketKeys::rotate(Clock::time_point now) {
  if (now - made_ < kLifetime) return;
  // Nobody may have asked for long: what counts is when the key should have been replaced.
  has_previous_ = now - made_ < 2 * kLifetime;
  made_ = has_previous_ ? made_ + kLifetime : now;
  previous_ = current_;
  current_ = fresh_key();
}

}  // namespace wsproxy::net
