#include "proxy/session_meter.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy;
using deflate::Bypass;
using relay::Leg;
using telemetry::Direction;
using websocket::Opcode;

TEST_CASE(
    "A message counts for its listener and route and for its connection, by direction, type and "
    "compression") {
  telemetry::Counters worker;
  telemetry::Traffic cell;
  proxy::SessionMeter::Relayed own{};
  proxy::SessionMeter::Relayed other{};
  proxy::SessionMeter meter(worker, cell, own);
  proxy::SessionMeter(worker, cell, other).on_message(Leg::app, Opcode::text, false, 7);
  meter.on_message(Leg::client, Opcode::text, true, 100);
  meter.on_message(Leg::client, Opcode::binary, false, 20);
  meter.on_message(Leg::app, Opcode::text, false, 3);

  const auto& to_client = own[telemetry::index(Direction::to_client)];
  CHECK(to_client.messages == std::array<std::array<std::uint64_t, 2>, 2>{{{0, 1}, {1, 0}}});
  CHECK(to_client.payload_bytes == 120);
  const auto& to_app = own[telemetry::index(Direction::to_app)];
  CHECK(to_app.messages == std::array<std::array<std::uint64_t, 2>, 2>{{{1, 0}, {0, 0}}});
  CHECK(to_app.payload_bytes == 3);
  const auto& of_cell = cell.relayed[telemetry::index(Direction::to_app)];
  CHECK(of_cell.messages[0][0] == 2);
  CHECK(of_cell.payload_bytes == 10);
  CHECK(cell.relayed[telemetry::index(Direction::to_client)].payload_bytes == 120);
  CHECK(worker.message_bytes.sum() == 130);
}

TEST_CASE("What compressing took counts whether it paid or not, its bytes only when it did") {
  telemetry::Counters worker;
  telemetry::Traffic cell;
  proxy::SessionMeter::Relayed own{};
  proxy::SessionMeter meter(worker, cell, own);
  meter.on_compressed(1000, 300, 50);
  meter.on_bypassed(Bypass::no_gain, 9);
  meter.on_inflated(4);
  CHECK(worker.compression_input_bytes == 1000);
  CHECK(worker.compression_output_bytes == 300);
  CHECK(worker.compress_ns == 59);
  CHECK(worker.decompress_ns == 4);
}

TEST_CASE("What was compressed for another connection counts its bytes, and no time") {
  telemetry::Counters worker;
  telemetry::Traffic cell;
  proxy::SessionMeter::Relayed own{};
  proxy::SessionMeter meter(worker, cell, own);
  meter.on_compressed(1000, 300, 50);
  meter.on_shared(1000, 300);
  meter.on_shared(500, 200);
  CHECK(worker.compression_shared == 2);
  CHECK(worker.compression_input_bytes == 2500);
  CHECK(worker.compression_output_bytes == 800);
  CHECK(worker.compress_ns == 50);
}

TEST_CASE("Every reason for going raw has a counter of its own, under its name") {
  telemetry::Counters worker;
  telemetry::Traffic cell;
  proxy::SessionMeter::Relayed own{};
  proxy::SessionMeter meter(worker, cell, own);
  const std::array<std::pair<Bypass, std::string>, 6> reasons{{{Bypass::too_small, "too_small"},
                                                               {Bypass::incompressible, "incompressible"},
                                                               {Bypass::stream, "stream"},
                                                               {Bypass::no_gain, "no_gain"},
                                                               {Bypass::keeps_shared, "keeps_shared"},
                                                               {Bypass::memory, "memory"}}};
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    meter.on_bypassed(reasons[i].first, 0);
    CHECK(worker.bypassed[i] == 1);
    CHECK(telemetry::kBypassNames[i] == reasons[i].second);
  }
}

TEST_CASE("What was observed counts at its trial, or as seen only when none was made") {
  telemetry::Counters worker;
  telemetry::Traffic cell;
  proxy::SessionMeter::Relayed own{};
  proxy::SessionMeter meter(worker, cell, own);
  meter.on_observed({.size = 1000, .is_broadcast = true});
  meter.on_observed({.size = 100, .tried = 5, .output = 30, .nanoseconds = 7, .spent = 9});
  meter.on_observed(
      {.size = 10, .tried = 5, .bypass = Bypass::no_gain, .output = 10, .nanoseconds = 2, .spent = 3});
  const telemetry::ObservedCounters& observed = worker.observed;
  CHECK(observed.seen_messages == 3);
  CHECK(observed.seen_bytes == 1110);
  CHECK(observed.broadcasts == 1);
  CHECK(observed.spent_ns == 12);
  for (std::size_t i = 0; i < observed.trials.size(); ++i)
    CHECK(observed.trials[i].messages == (i == 5 ? 2 : 0));
  CHECK(observed.trials[5].input_bytes == 110);
  CHECK(observed.trials[5].output_bytes == 40);
  CHECK(observed.trials[5].compress_ns == 9);
  CHECK(observed.bypassed == std::array<std::uint64_t, 6>{0, 0, 0, 1, 0, 0});
  CHECK(worker.bypassed == std::array<std::uint64_t, 6>{});
  CHECK(worker.compress_ns == 0);
}

TEST_CASE("A trial counts under the name of its level and its reach, and is the nearest to them") {
  for (std::size_t i = 0; i < deflate::kTrials.size(); ++i) {
    const auto& [level, reach] = deflate::kTrials[i];
    CHECK(telemetry::nearest_trial(level, reach) == i);
    const std::string reach_name = reach == 0 ? "none" : std::to_string(reach / 1024) + "k";
    CHECK(telemetry::kTrialNames[i] == "level" + std::to_string(level) + "_" + reach_name);
  }
}

TEST_CASE("Bytes count on the side whose wire they are on, in the direction they go") {
  telemetry::Counters worker;
  telemetry::Traffic cell;
  proxy::SessionMeter::Relayed own{};
  proxy::SessionMeter meter(worker, cell, own);
  meter.on_read(Leg::client, 1);
  meter.on_written(Leg::app, 2);
  meter.on_read(Leg::app, 4);
  meter.on_written(Leg::client, 8);
  const auto side = [](telemetry::Side which) { return telemetry::index(which); };
  for (const auto& counted : {own, cell.relayed}) {
    const auto& to_app = counted[telemetry::index(Direction::to_app)].wire_bytes;
    CHECK(to_app[side(telemetry::Side::client)] == 1);
    CHECK(to_app[side(telemetry::Side::app)] == 2);
    const auto& to_client = counted[telemetry::index(Direction::to_client)].wire_bytes;
    CHECK(to_client[side(telemetry::Side::app)] == 4);
    CHECK(to_client[side(telemetry::Side::client)] == 8);
  }
}

TEST_CASE("The time of what was relayed at once is told by direction, and backpressure by who caused it") {
  telemetry::Counters worker;
  telemetry::Traffic cell;
  proxy::SessionMeter::Relayed own{};
  proxy::SessionMeter meter(worker, cell, own);
  meter.on_message(Leg::app, Opcode::text, false, 3);
  meter.on_message(Leg::app, Opcode::binary, true, 3);
  meter.on_message(Leg::client, Opcode::text, true, 3);
  CHECK(meter.messages(Leg::client) == 2);
  CHECK(meter.messages(Leg::app) == 1);
  meter.on_relayed(Leg::client, 2, std::chrono::microseconds{20});
  CHECK(cell.relay_ns[telemetry::index(Direction::to_app)].sum() == 40'000);
  CHECK(cell.relay_ns[telemetry::index(Direction::to_client)].sum() == 0);
  meter.on_backpressure(Leg::app);
  CHECK(worker.backpressure[telemetry::index(telemetry::Side::app)] == 1);
  CHECK(worker.backpressure[telemetry::index(telemetry::Side::client)] == 0);
}

TEST_CASE("A connection is active at its listener and route while it is relayed, and counted for good") {
  telemetry::Counters worker;
  telemetry::Traffic cell;
  proxy::SessionMeter::Relayed own{};
  {
    const proxy::SessionMeter one(worker, cell, own);
    const proxy::SessionMeter other(worker, cell, own);
    CHECK(cell.active == 2);
  }
  CHECK(cell.active == 0);
  CHECK(cell.total == 2);
}
