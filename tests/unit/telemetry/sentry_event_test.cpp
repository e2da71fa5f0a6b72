#include "telemetry/sentry_event.hpp"

#include <array>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {

SentryEvent event_of(std::initializer_list<LogField> fields, std::string_view message = "it broke") {
  const std::chrono::system_clock::time_point time{std::chrono::seconds{5}};
  return sentry_event(LogLine{time, Level::error, message, {fields.begin(), fields.size()}});
}

std::string text_of(const SentryEvent& event, const std::string& field) {
  for (const auto& [key, value] : event.fields) {
    if (key == field) return std::get<std::string>(value);
  }
  return "absent";
}

}  // namespace

TEST_CASE("only fields that hold nothing of a client's go to Sentry") {
  for (const char* field :
       {"reason", "problem", "listener", "upstream", "certificate", "key", "file", "errno", "count"}) {
    CHECK(goes_to_sentry(field));
  }
  for (const char* field :
       {"client", "path", "request_id", "user_agent", "traceparent", "subprotocol", "cause", "method", "host",
        "address", "extension", "detail", "", "Reason", "reasons"}) {
    CAPTURE(field);
    CHECK_FALSE(goes_to_sentry(field));
  }
}

TEST_CASE("an event has the line's message, time and those fields, owned") {
  const SentryEvent event = event_of({{"reason", std::string{"no memory"}},
                                      {"client", "203.0.113.9:1234"},
                                      {"path", "/room?token=1"},
                                      {"count", std::uint64_t{7}}});
  CHECK(event.message == "it broke");
  CHECK(event.time == std::chrono::system_clock::time_point{std::chrono::seconds{5}});
  CHECK(event.id.empty());
  REQUIRE(event.fields.size() == 2);
  CHECK(text_of(event, "reason") == "no memory");
  CHECK(std::get<std::uint64_t>(event.fields[1].second) == 7);
}

TEST_CASE("who stands in a URL stays here") {
  const auto upstream = [](const char* text) { return text_of(event_of({{"upstream", text}}), "upstream"); };
  CHECK(upstream("ws://user:hunter2@app:80/x") == "ws://app:80/x");
  CHECK(upstream("ws://a@b@app/x@y") == "ws://app/x@y");
  CHECK(upstream("ws://app/x@y") == "ws://app/x@y");
  CHECK(upstream("http://u@a and http://v@b") == "http://a and http://b");
  CHECK(event_of({}, "no ws://hunter2@app").message == "no ws://app");
}

TEST_CASE("a long value is cut as in the log") {
  const std::string value = text_of(event_of({{"reason", std::string(5000, 'x')}}), "reason");
  CHECK(value == std::string(kMaxLogValueBytes, 'x') + "...");
}

TEST_CASE("a crash that is told twice has one id, and two crashes have two") {
  CrashReport report;
  report.signal = "SIGSEGV";
  const SentryEvent first = sentry_event(report, "one");
  CHECK(first.id.size() == 32);
  CHECK(first.id.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(sentry_event(report, "one").id == first.id);
  CHECK(sentry_event(report, "two").id != first.id);
}
