#include "telemetry/sentry_envelope.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace wsproxy::telemetry;
using Json = nlohmann::json;

namespace {

const std::string kBuildId = "68220ae2c65d65c1b6aaa12fa6765a6ec2f5f434";
const SentrySource kSource{"https://key@host/1", "1.2.3", kBuildId, "prod", "pod-7"};
const std::chrono::system_clock::time_point kNow{std::chrono::milliseconds{1'700'000'000'250}};

/// Reads as the format says: each payload is as long as its header tells, and ends with the line.
std::vector<Json> parts_of(std::string_view envelope) {
  std::vector<Json> parts;
  const auto line = [&envelope] {
    const auto end = envelope.find('\n');
    REQUIRE(end != std::string_view::npos);
    const Json json = Json::parse(envelope.substr(0, end));
    envelope.remove_prefix(end + 1);
    return json;
  };
  parts.push_back(line());
  while (!envelope.empty()) {
    parts.push_back(line());
    const auto length = parts.back().at("length").get<std::size_t>();
    REQUIRE(envelope.size() > length);
    REQUIRE(envelope[length] == '\n');
    parts.push_back(Json::parse(envelope.substr(0, length)));
    envelope.remove_prefix(length + 1);
  }
  return parts;
}

SentryEvent error() {
  SentryEvent event;
  event.id = "0123456789abcdef0123456789abcdef";
  event.time = kNow - std::chrono::seconds{10};
  event.message = "it broke";
  event.fields = {{"reason", "a \"b\"\n\xff"}, {"listener", "public"}, {"count", std::uint64_t{3}}};
  return event;
}

}  // namespace

TEST_CASE("an envelope has a header, an item's header and the event") {
  const auto parts = parts_of(sentry_envelope(error(), kSource, kNow, 0));
  REQUIRE(parts.size() == 3);
  CHECK(parts[0] == Json{{"event_id", "0123456789abcdef0123456789abcdef"},
                         {"dsn", "https://key@host/1"},
                         {"sent_at", "2023-11-14T22:13:20.250Z"},
                         {"sdk", {{"name", "wsproxy"}, {"version", "1.2.3"}}}});
  CHECK(parts[1].at("type") == "event");
  const Json& event = parts[2];
  CHECK(event.at("event_id") == parts[0].at("event_id"));
  CHECK(event.at("timestamp") == "2023-11-14T22:13:10.250Z");
  CHECK(event.at("platform") == "native");
  CHECK(event.at("level") == "error");
  CHECK(event.at("release") == "wsproxy@1.2.3");
  CHECK(event.at("environment") == "prod");
  CHECK(event.at("server_name") == "pod-7");
  CHECK(event.at("logentry").at("formatted") == "it broke");
  CHECK(event.at("fingerprint") == Json::array({"it broke"}));
  CHECK(event.at("tags") == Json{{"build_id", kBuildId}, {"listener", "public"}});
  CHECK(event.at("extra") == Json{{"reason", "a \"b\"\n\xef\xbf\xbd"}, {"count", 3}});
  CHECK_FALSE(event.contains("exception"));
}

TEST_CASE("what was dropped is told in an item of its own") {
  const auto parts = parts_of(sentry_envelope(error(), kSource, kNow, 12));
  REQUIRE(parts.size() == 5);
  CHECK(parts[3].at("type") == "client_report");
  CHECK(parts[4].at("discarded_events") ==
        Json::array({{{"reason", "queue_overflow"}, {"category", "error"}, {"quantity", 12}}}));
}

TEST_CASE("a crash is an exception with its frames, oldest first, and the images they are in") {
  CrashReport crash{
      .time = "2026-01-02T03:04:05.678Z",
      .signal = "SIGSEGV",
      .number = 11,
      .code = 1,
      .address = "0x8",
      .reason = "",
      .thread = "worker",
      .thread_id = 42,
      .version = "1.2.2",
      .build_id = kBuildId,
      .frames = {{"wsproxy", 0x1234}, {"libc.so.6", 0x10}, {"?", 0}},
      .images = {{"wsproxy", 0x1000000, 0x9000, kBuildId}, {"libc.so.6", 0x7000000, 0x500, ""}}};
  SentryEvent told = sentry_event(crash, "x");
  const auto parts = parts_of(sentry_envelope(told, kSource, kNow, 0));
  const Json& event = parts.at(2);
  CHECK(event.at("level") == "fatal");
  CHECK(event.at("timestamp") == "2026-01-02T03:04:05.678Z");
  CHECK(event.at("release") == "wsproxy@1.2.2");
  CHECK_FALSE(event.contains("logentry"));
  const Json& exception = event.at("exception").at("values").at(0);
  CHECK(exception.at("type") == "SIGSEGV");
  CHECK(exception.at("value") == "address 0x8");
  CHECK(exception.at("mechanism").at("handled") == false);
  CHECK(exception.at("mechanism").at("meta").at("signal") ==
        Json{{"number", 11}, {"code", 1}, {"name", "SIGSEGV"}});
  const Json& frames = exception.at("stacktrace").at("frames");
  REQUIRE(frames.size() == 3);
  CHECK(frames[0] == Json{{"instruction_addr", "0x0"}});
  CHECK(frames[1] == Json{{"instruction_addr", "0x7000010"}, {"package", "libc.so.6"}, {"in_app", false}});
  CHECK(frames[2] == Json{{"instruction_addr", "0x1001234"}, {"package", "wsproxy"}, {"in_app", true}});
  const Json& images = event.at("debug_meta").at("images");
  REQUIRE(images.size() == 2);
  CHECK(images[0].at("type") == "elf");
  CHECK(images[0].at("code_id") == kBuildId);
  CHECK(images[0].at("debug_id") == "e20a2268-5dc6-c165-b6aa-a12fa6765a6e");
  CHECK(images[0].at("image_addr") == "0x1000000");
  CHECK(images[0].at("image_size") == 0x9000);
  CHECK_FALSE(images[1].contains("debug_id"));
}

TEST_CASE("a debug id is made of a build id only") {
  for (const char* text : {"", "68220ae2", "zz220ae2c65d65c1b6aaa12fa6765a6e"})
    CHECK(sentry_debug_id(text).empty());
}
