#include <array>

#include "doctor/checks.hpp"

namespace wsproxy::doctor {
namespace {

Finding certificate(Subject& subject) {
  Wire wire;
  return wire.open(subject.target, {.verifies = true}) ? passed() : failed(wire.problem());
}

Finding old_versions(Subject& subject) {
  Wire wire;
  if (wire.open(subject.target, {.only_before_12 = true})) return warned("it speaks TLS 1.1 or 1.0");
  return wire.is_refused_by_tls() ? passed() : skipped(wire.problem());
}

constexpr std::array kChecks = {
    Check{"tls.certificate", "RFC 6455 10.6",
          "its certificate is valid for its name, by the system's authorities", "browsers refuse to connect",
          kSecure, false, certificate},
    Check{"tls.old_versions", "RFC 8996", "TLS 1.0 and 1.1 are refused",
          "what has been given up as insecure can still be negotiated", kSecure, false, old_versions},
};

}  // namespace

std::span<const Check> tls_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
