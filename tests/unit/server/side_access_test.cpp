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

}  // namespace
}  // namespace wsproxy::server
