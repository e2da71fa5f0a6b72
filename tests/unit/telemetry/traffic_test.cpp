#include "telemetry/traffic.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {

void relay(Traffic& cell, std::uint64_t bytes) {
  auto& to_app = cell.relayed[index(Direction::to_app)];
  ++to_app.messages[0][1];
  to_app.payload_bytes += bytes;
  to_app.wire_bytes[index(Side::client)] += bytes + 1;
  cell.relay_ns[index(Direction::to_app)].observe(20'000);
}

std::uint64_t payload(const Traffic& traffic) {
  return traffic.relayed[index(Direction::to_app)].payload_bytes;
}

const auto kNothingIsCurrent = [](const TrafficTable::Key&) { return false; };

}  // namespace

TEST_CASE("traffic is counted by listener and route, and the sum has all of it") {
  TrafficTable table;
  relay(table.cell({"public", "default"}), 5);
  relay(table.cell({"public", "chat"}), 7);
  relay(table.cell({"inside", "chat"}), 11);
  relay(table.cell({"public", "chat"}), 100);
  CHECK(table.cells().size() == 3);
  CHECK(payload(table.cells().at({"public", "chat"})) == 107);
  const Traffic sum = table.sum();
  CHECK(payload(sum) == 123);
  CHECK(sum.relayed[index(Direction::to_app)].message_count() == 4);
  CHECK(sum.relayed[index(Direction::to_app)].wire_bytes[index(Side::client)] == 127);
  CHECK(sum.relay_ns[index(Direction::to_app)].sum() == 80'000);
}

TEST_CASE("a cell stays where it is when others come and go") {
  TrafficTable table;
  Traffic& cell = table.cell({"m", "m"});
  const TrafficShare share(cell);
  for (char name = 'a'; name <= 'z'; ++name) table.cell({std::string{name}, "other"});
  table.forget(kNothingIsCurrent);
  CHECK(&table.cell({"m", "m"}) == &cell);
  CHECK(table.cells().size() == 1);
}

TEST_CASE("what was removed stays while somebody uses it, then it counts among what is gone") {
  TrafficTable table;
  const auto is_current = [](const TrafficTable::Key& key) { return key.route == "new"; };
  relay(table.cell({"public", "new"}), 1);
  {
    TrafficShare share(table.cell({"public", "old"}));
    relay(share.cell(), 10);
    table.forget(is_current);
    CHECK(table.cells().size() == 2);
  }
  table.forget(is_current);
  CHECK(table.cells().size() == 1);
  CHECK(payload(table.gone()) == 10);
  CHECK(table.gone().total == 1);
  CHECK(payload(table.sum()) == 11);

  // A connection that had its settings before is the first to use it again.
  relay(table.cell({"public", "old"}), 100);
  table.forget(is_current);
  CHECK(payload(table.gone()) == 110);
  CHECK(payload(table.sum()) == 111);
}

TEST_CASE("tables of workers add up cell by cell, with what is gone") {
  TrafficTable one, other;
  relay(one.cell({"public", "default"}), 1);
  relay(other.cell({"public", "default"}), 10);
  relay(other.cell({"public", "chat"}), 100);
  relay(other.cell({"public", "old"}), 1000);
  other.forget([](const TrafficTable::Key& key) { return key.route != "old"; });
  one += other;
  CHECK(payload(one.cells().at({"public", "default"})) == 11);
  CHECK(payload(one.cells().at({"public", "chat"})) == 100);
  CHECK(payload(one.gone()) == 1000);
  CHECK(payload(one.sum()) == 1111);
}

TEST_CASE("a share counts a connection as active, and once for good") {
  TrafficTable table;
  Traffic& cell = table.cell({"public", "default"});
  {
    const TrafficShare one(cell), two(cell);
    CHECK(cell.active == 2);
    CHECK(table.sum().active == 2);
  }
  CHECK(cell.active == 0);
  CHECK(cell.total == 2);
}
