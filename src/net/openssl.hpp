#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/// OpenSSL's objects with an owner. Only for net/ itself: what is above knows TlsServer, TlsClient and
/// Transport.
namespace wsproxy::net {

template <auto release>
struct Releasing {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

using SslPtr = std::unique_ptr<SSL, Releasing<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Releasing<SSL_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, Releasing<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Releasing<X509_CRL_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Releasing<X509_STORE_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Releasing<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Releasing<BIO_free>>;

/// What the first error on this thread's queue says, for people; empties the queue.
std::string take_openssl_error();

}  // namespace wsproxy::net
