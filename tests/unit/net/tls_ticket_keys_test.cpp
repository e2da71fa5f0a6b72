#include "net/tls_ticket_keys.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::net {
namespace {

using namespace std::chrono_literals;
using Age = TlsTicketKeys::Age;
using Key = TlsTicketKeys::Key;
constexpr auto kLifetime = TlsTicketKeys::kLifetime;
const TlsTicketKeys::Clock::time_point kStart = TlsTicketKeys::Clock::now();

bool same(const Key& a, const Key& b) {
  return a.name == b.name && a.cipher == b.cipher && a.mac == b.mac;
}

/// What becomes of a ticket that was sealed with the key.
Age age_of(TlsTicketKeys& keys, const Key& key, TlsTicketKeys::Clock::time_point now) {
  Key found{};
  const Age age = keys.find(key.name.data(), now, found);
  CHECK(same(found, age == Age::unknown ? Key{} : key));
  return age;
}

TEST_CASE("a key seals for its lifetime, and is replaced by another one then", "[ticket_keys]") {
  TlsTicketKeys keys{kStart};
  const Key first = keys.current(kStart);
  CHECK(same(keys.current(kStart + kLifetime - 1ns), first));
  const Key second = keys.current(kStart + kLifetime);
  CHECK_FALSE(same(second, first));
  CHECK(second.name != first.name);
  CHECK(second.cipher != first.cipher);
  CHECK(second.mac != first.mac);
  CHECK(same(keys.current(kStart + 2 * kLifetime - 1ns), second));
}

TEST_CASE("5077 4: what a key has sealed can be opened for one lifetime more", "[ticket_keys]") {
  TlsTicketKeys keys{kStart};
  const Key key = keys.current(kStart);
  CHECK(age_of(keys, key, kStart + kLifetime - 1ns) == Age::current);
  CHECK(age_of(keys, key, kStart + kLifetime) == Age::previous);
  CHECK(age_of(keys, key, kStart + 2 * kLifetime - 1ns) == Age::previous);
  CHECK(age_of(keys, key, kStart + 2 * kLifetime) == Age::unknown);
}

TEST_CASE("keys of a process that did nothing for long open nothing", "[ticket_keys]") {
  TlsTicketKeys keys{kStart};
  const Key key = keys.current(kStart);
  for (const auto later : {2 * kLifetime, 20 * kLifetime}) {
    CHECK(age_of(keys, key, kStart + later) == Age::unknown);
    CHECK_FALSE(same(keys.current(kStart + later), key));
  }
}

TEST_CASE("a key that is replaced late, for want of work, is not good for longer", "[ticket_keys]") {
  TlsTicketKeys keys{kStart};
  const Key key = keys.current(kStart);
  CHECK(age_of(keys, key, kStart + 2 * kLifetime - 1ns) == Age::previous);
  CHECK(age_of(keys, key, kStart + 2 * kLifetime) == Age::unknown);
  CHECK(age_of(keys, key, kStart + 4 * kLifetime - 2ns) == Age::unknown);
}

TEST_CASE("a name that no key has is unknown, and keys of two processes are strangers", "[ticket_keys]") {
  TlsTicketKeys keys{kStart};
  TlsTicketKeys others{kStart};
  const Key theirs = others.current(kStart);
  CHECK(age_of(keys, theirs, kStart) == Age::unknown);
  // Not even the empty place of the key before has a name.
  CHECK(age_of(keys, Key{}, kStart) == Age::unknown);
}

}  // namespace
}  // namespace wsproxy::net
