#include "server/side_access.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::server {
namespace {

using config::AdminDrain;

SideRequest request(SideMethod method, bool is_local) {
  SideRequest result;
  result.method = method;
  result.is_local = is_local;
  return result;
}

TEST_CASE("who may drain or set the log level") {
  const SideRequest near_get = request(SideMethod::get, true), near_post = request(SideMethod::post, true);
  const SideRequest far_get = request(SideMethod::get, false), far_post = request(SideMethod::post, false);
  for (const AdminDrain rule : {AdminDrain::local, AdminDrain::hook, AdminDrain::any}) {
    for (const bool is_hook : {false, true}) {
      CHECK(may_command(rule, near_get, is_hook));
      CHECK(may_command(rule, near_post, is_hook));
      CHECK(may_command(rule, far_post, is_hook) == (rule == AdminDrain::any));
      CHECK(may_command(rule, far_get, is_hook) ==
            (rule == AdminDrain::any || (rule == AdminDrain::hook && is_hook)));
    }
  }
}

TEST_CASE("a browser's page may never") {
  SideRequest page = request(SideMethod::post, true);
  page.is_from_page = true;
  for (const AdminDrain rule : {AdminDrain::local, AdminDrain::hook, AdminDrain::any}) {
    CHECK_FALSE(may_command(rule, page, true));
  }
}

TEST_CASE("an address or localhost is this machine, any other name may be a browser's way here") {
  for (const char* host : {"", "127.0.0.1", "127.0.0.1:9090", "10.1.2.3:9090", "[::1]", "[::1]:9090",
                           "[fe80::1]:9090", "localhost", "LocalHost:9090"}) {
    CHECK(is_asked_by_address(host));
  }
  for (const char* host : {"evil.example", "evil.example:9090", "localhost.evil.example",
                           "127.0.0.1.evil.example", "[evil.example]", "[", ":", "0x7f.1"}) {
    CHECK_FALSE(is_asked_by_address(host));
  }
}

}  // namespace
}  // namespace wsproxy::server
