#include "config/route_match.hpp"

#include <catch2/catch.hpp>

namespace wsproxy::config {
namespace {

// What matches is told case by case in tests/unit/proxy/destination_test.cpp.
TEST_CASE("a route covers another when it takes all of the other's requests") {
  struct Row {
    RouteMatch wide;
    RouteMatch narrow;
    bool does;
  };
  for (const Row& row : {
           Row{{"a", ""}, {"a", ""}, true},
           {{"a", ""}, {"A.", ""}, true},
           {{"a", ""}, {"a", "/x"}, true},
           {{"a", "/x"}, {"a", ""}, false},
           {{"a", "/x"}, {"a", "/x/y"}, true},
           {{"a", "/x"}, {"a", "/xy"}, true},
           {{"a", "/x/"}, {"a", "/x"}, false},
           {{"a", ""}, {"b", ""}, false},
           {{"a", ""}, {"", "/x"}, false},
           {{"", "/x"}, {"a", "/x"}, true},
           {{"", "/x"}, {"*.a", "/x/y"}, true},
           {{"", "/x"}, {"a", ""}, false},
           {{"*.a.org", ""}, {"b.a.org", ""}, true},
           {{"*.a.org", ""}, {"c.b.A.org.", ""}, true},
           {{"*.a.org", ""}, {"*.a.org", "/x"}, true},
           {{"*.a.org", ""}, {"*.b.a.org", ""}, true},
           {{"*.a.org", ""}, {"a.org", ""}, false},
           {{"*.b.a.org", ""}, {"*.a.org", ""}, false},
           {{"*.a.org", ""}, {"*.ba.org", ""}, false},
           {{"*.a.org", ""}, {"*.org", ""}, false},
           {{"b.a.org", ""}, {"*.a.org", ""}, false},
           {{"*.a.org", ""}, {"", ""}, false},
       }) {
    CAPTURE(row.wide.host, row.wide.path, row.narrow.host, row.narrow.path);
    CHECK(covers(row.wide, row.narrow) == row.does);
  }
}

/// Whatever one route takes of these requests the one that covers it must take too.
TEST_CASE("covering agrees with matching") {
  const std::vector<std::string> hosts{"", "a.org", "b.a.org", "*.a.org", "*.b.a.org", "*.org", "ba.org"};
  const std::vector<std::string> paths{"", "/", "/x", "/x/", "/xy"};
  const std::vector<std::string> asked_hosts{"a.org", "b.a.org", "c.b.a.org", "ba.org", "org", "c.ba.org"};
  const std::vector<std::string> asked_paths{"*", "/", "/x", "/x/", "/x/1", "/xy", "/y"};
  std::vector<RouteMatch> matches_of_all;
  for (const auto& host : hosts) {
    for (const auto& path : paths) matches_of_all.push_back({host, path});
  }
  for (const RouteMatch& wide : matches_of_all) {
    for (const RouteMatch& narrow : matches_of_all) {
      bool takes_all = true;
      for (const auto& host : asked_hosts) {
        for (const auto& path : asked_paths) {
          takes_all = takes_all && (!matches(narrow, host, path) || matches(wide, host, path));
        }
      }
      CAPTURE(wide.host, wide.path, narrow.host, narrow.path);
      if (covers(wide, narrow) != takes_all) FAIL_CHECK("covers: " << !takes_all);
    }
  }
}

}  // namespace
}  // namespace wsproxy::config
