#pragma once

#include <string>

#include "http/forwarded.hpp"
#include "websocket/mask_keys.hpp"

namespace wsproxy::proxy {

class Session;

/// What the app should learn about a session's client and its request. Owns the texts that facts() borrows;
/// the session outlives both.
class ClientFacts {
 public:
  explicit ClientFacts(Session& session);
  http::ForwardedFacts facts() const;

 private:
  Session& session_;
  std::string port_;
  std::string authority_;  // of the app
};

/// 128 random bits as hex; the masking keys' source is at hand and good enough for an identifier.
std::string fresh_request_id(websocket::MaskKeys& random);

}  // namespace wsproxy::proxy
