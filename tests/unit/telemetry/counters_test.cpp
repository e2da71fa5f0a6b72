#include "telemetry/counters.hpp"

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {

/// Every counter set, none like its neighbour.
Counters filled(std::uint64_t seed) {
  Counters c;
  c.listeners["a"] = {};
  c.listeners["b"].active = static_cast<std::int64_t>(seed);
  c.listeners["b"].total[2] = seed + 1;
  c.handshakes[1] = seed + 2;
  c.rejected[3] = seed + 3;
  c.upstream_errors[4] = seed + 4;
  Traffic& traffic = c.traffic.cell({"public", "default"});
  auto& to_app = traffic.relayed[index(Direction::to_app)];
  to_app.messages[1][0] = seed + 5;
  to_app.payload_bytes = seed + 6;
  to_app.wire_bytes[index(Side::app)] = seed + 7;
  c.closes[1][close_code_index(1001)] = seed + 8;
  c.backpressure[1] = seed + 9;
  c.compression_input_bytes = seed + 10;
  c.compression_output_bytes = seed + 11;
  c.compress_ns = seed + 12;
  c.decompress_ns = seed + 13;
  c.bypassed[2] = seed + 14;
  c.compression_memory_bytes = seed + 15;
  c.compression_level = seed < 1000 ? 6 : 3;
  c.compression_memory_limit_bytes = seed + 23;
  c.compression_shared = seed + 24;
  c.sacrifices[index(Sacrifice::histories_shrunk)] = seed + 25;
  c.handshake_ns.observe(seed + 16);
  c.connection_seconds.observe(seed + 17);
  c.message_bytes.observe(seed + 18);
  traffic.relay_ns[1].observe(seed + 19);
  c.http_requests[3] = seed + 20;
  c.http_bytes[1] = seed + 21;
  c.http_request_ns.observe(seed + 22);
  return c;
}

}  // namespace

TEST_CASE("adding the counters of two workers adds every one of them") {
  Counters sum = filled(100);
  sum += filled(1000);
  CHECK(sum.listeners["b"].active == 1100);
  CHECK(sum.listeners["b"].total[2] == 1102);
  CHECK(sum.handshakes[1] == 1104);
  CHECK(sum.rejected[3] == 1106);
  CHECK(sum.upstream_errors[4] == 1108);
  const Traffic& traffic = sum.traffic.cells().at({"public", "default"});
  const auto& to_app = traffic.relayed[index(Direction::to_app)];
  CHECK(to_app.messages[1][0] == 1110);
  CHECK(to_app.payload_bytes == 1112);
  CHECK(to_app.wire_bytes[index(Side::app)] == 1114);
  CHECK(sum.closes[1][1] == 1116);
  CHECK(sum.backpressure[1] == 1118);
  CHECK(sum.compression_input_bytes == 1120);
  CHECK(sum.compression_output_bytes == 1122);
  CHECK(sum.compress_ns == 1124);
  CHECK(sum.decompress_ns == 1126);
  CHECK(sum.bypassed[2] == 1128);
  CHECK(sum.compression_memory_bytes == 1130);
  CHECK(sum.compression_level == 3);
  CHECK(sum.compression_memory_limit_bytes == 1146);
  CHECK(sum.compression_shared == 1148);
  CHECK(sum.sacrifices[3] == 1150);
  CHECK(sum.handshake_ns.sum() == 1132);
  CHECK(sum.connection_seconds.sum() == 1134);
  CHECK(sum.message_bytes.sum() == 1136);
  CHECK(traffic.relay_ns[1].sum() == 1138);
  CHECK(sum.http_requests[3] == 1140);
  CHECK(sum.http_bytes[1] == 1142);
  CHECK(sum.http_request_ns.sum() == 1144);
}

TEST_CASE("counters of a worker that knows more listeners make room in the sum") {
  Counters sum;
  sum += filled(7);
  CHECK(sum.listeners.size() == 2);
  CHECK(sum.listeners["b"].active == 7);
  sum += Counters{};
  CHECK(sum.listeners.size() == 2);
}

TEST_CASE("connections that end on another worker than they were counted on cancel out") {
  Counters a;
  a.listeners["a"].active = 3;
  Counters b = a;
  b.listeners["a"].active = -2;
  a += b;
  CHECK(a.listeners["a"].active == 1);
}

TEST_CASE("each close code with a label has its own place and every other one shares the last") {
  for (std::size_t i = 0; i + 1 < kCloseCodes.size(); ++i) CHECK(close_code_index(kCloseCodes[i]) == i);
  constexpr std::size_t kOther = kCloseCodes.size() - 1;
  for (const int code : {0, 1, 999, 1004, 1015, 2999, 3000, 4000, 4999, 65535}) {
    CHECK(close_code_index(static_cast<std::uint16_t>(code)) == kOther);
  }
}

TEST_CASE("a histogram's bounds are inclusive and what is above the last one is kept apart") {
  Histogram<kSizeBoundsBytes> sizes;
  sizes.observe(0);
  sizes.observe(64);
  sizes.observe(65, 3);
  sizes.observe(16'777'217);
  CHECK(sizes.counts()[0] == 2);
  CHECK(sizes.counts()[1] == 3);
  CHECK(sizes.counts().back() == 1);
  CHECK(sizes.sum() == 64 + 3 * 65 + 16'777'217);
}
