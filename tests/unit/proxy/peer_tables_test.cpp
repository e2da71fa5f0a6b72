#include "proxy/peer_tables.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy::proxy;

namespace {

Peer peer(const char* path, std::uint64_t payload, std::uint64_t queued, bool is_paused = false) {
  Peer result;
  result.path = path;
  result.weight = {payload, queued, is_paused};
  return result;
}

std::string paths(const std::vector<Peer>& rows) {
  std::string result;
  for (const Peer& row : rows) result += row.path;
  return result;
}

}  // namespace

TEST_CASE("a connection is slow when something waits for its peers or holds up a side") {
  CHECK_FALSE(PeerWeight{1000, 0, false}.is_slow());
  CHECK(PeerWeight{0, 1, false}.is_slow());
  CHECK(PeerWeight{0, 0, true}.is_slow());
}

TEST_CASE("what waits counts first, then who is held up") {
  CHECK(is_slower({0, 2, false}, {9, 1, true}));
  CHECK(is_slower({0, 1, true}, {9, 1, false}));
  CHECK_FALSE(is_slower({1, 1, true}, {9, 1, true}));
  CHECK(is_larger({2, 0, false}, {1, 9, true}));
  CHECK_FALSE(is_larger({1, 0, false}, {1, 9, true}));
}

TEST_CASE("the tables of two workers become one in order") {
  PeerTables sum{5, {peer("a", 9, 0), peer("b", 4, 0)}, {peer("c", 0, 7)}};
  merge(sum, {6, {peer("d", 5, 0), peer("e", 1, 0)}, {peer("f", 0, 8), peer("g", 0, 7, true)}});
  CHECK(sum.open == 11);
  CHECK(paths(sum.largest) == "adbe");
  CHECK(paths(sum.slowest) == "fgc");
}

TEST_CASE("a table has ten rows at most, those of the heaviest") {
  PeerTables sum;
  for (std::uint64_t worker = 0; worker < 4; ++worker) {
    PeerTables one;
    for (std::uint64_t i = 0; i < 5; ++i) one.largest.push_back(peer("x", 100 * worker + 10 - i, 0));
    merge(sum, std::move(one));
  }
  REQUIRE(sum.largest.size() == PeerTables::kRows);
  CHECK(sum.largest.front().weight.payload_bytes == 310);
  CHECK(sum.largest.back().weight.payload_bytes == 206);
}
