#include "telemetry/access_log.hpp"

#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace wsproxy::telemetry;
using namespace std::chrono_literals;

namespace {

std::string line_of(const AccessRecord& record, LogFormat format = LogFormat::json,
                    Level level = Level::info) {
  std::string result;
  LogOptions options;
  options.level = level;
  options.format = format;
  options.sink = [&result](std::string_view line) { result = line; };
  options.clock = [] { return std::chrono::system_clock::time_point{}; };
  {
    Log log(std::move(options));
    write_access(log, record);
  }  // here the line is written
  return result;
}

AccessRecord chat() {
  AccessRecord record;
  record.client = "192.0.2.7:51234";
  record.listener = "public";
  record.method = "GET";
  record.target = "/chat?token=secret";
  record.status = 101;
  record.subprotocol = "chat.v1";
  record.extension = "permessage-deflate; client_max_window_bits=12";
  record.request_id = "abc";
  record.user_agent = "Firefox/1 X11";
  record.traffic[index(Direction::to_app)] = {3, 300, 150};
  record.traffic[index(Direction::to_client)] = {5, 3000, 1000};
  record.duration = 12'345'678us;
  record.close_code = 1001;
  record.closed_by = ClosedBy::by_operator;
  record.cause = "drain";
  return record;
}

}  // namespace

TEST_CASE("the access line of a relayed connection has every field under its stable name") {
  CHECK(
      line_of(chat()) ==
      R"({"time":"1970-01-01T00:00:00.000Z","level":"info","message":"access","client":"192.0.2.7:51234",)"
      R"("listener":"public","method":"GET","path":"/chat","status":101,"subprotocol":"chat.v1",)"
      R"("extension":"permessage-deflate; client_max_window_bits=12","request_id":"abc",)"
      R"("user_agent":"Firefox/1 X11","messages_to_app":3,"messages_to_client":5,"payload_bytes_to_app":300,)"
      R"("payload_bytes_to_client":3000,"wire_bytes_to_app":150,"wire_bytes_to_client":1000,"ratio_to_app":0.5,)"
      R"("ratio_to_client":0.333,"close_code":1001,"duration_seconds":12.346,"closed_by":"operator",)"
      R"("cause":"drain"})");
}

TEST_CASE("a refused handshake has no traffic and what is not known is left out") {
  AccessRecord record;
  record.client = "192.0.2.7:1";
  record.status = 403;
  record.closed_by = ClosedBy::proxy;
  record.cause = "origin";
  CHECK(line_of(record, LogFormat::text) ==
        "1970-01-01T00:00:00.000Z info  access client=192.0.2.7:1 status=403 duration_seconds=0 "
        "closed_by=proxy "
        "cause=origin");
}

TEST_CASE("a plain request that ended as it should has its bodies and nobody to blame") {
  AccessRecord record;
  record.client = "192.0.2.7:1";
  record.method = "POST";
  record.target = "/upload?token=secret";
  record.status = 201;
  record.request_id = "abc";
  record.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  record.upstream = "ws://localhost:8008";
  record.request_bytes = 1000;
  record.response_bytes = 0;
  record.is_complete = true;
  CHECK(line_of(record) ==
        R"({"time":"1970-01-01T00:00:00.000Z","level":"info","message":"access","client":"192.0.2.7:1",)"
        R"("method":"POST","path":"/upload","status":201,"request_id":"abc",)"
        R"("traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",)"
        R"("upstream":"ws://localhost:8008","request_bytes":1000,"response_bytes":0,"duration_seconds":0})");
  record.cause = "502";
  record.closed_by = ClosedBy::app;
  CHECK(nlohmann::json::parse(line_of(record))["closed_by"] == "app");
  record.cause = "";
  record.is_complete = false;
  CHECK(nlohmann::json::parse(line_of(record))["closed_by"] == "app");
}

TEST_CASE("a handshake has a traceparent and no bodies") {
  auto record = chat();
  record.traceparent = "00-1-2-01";
  const auto line = nlohmann::json::parse(line_of(record));
  CHECK(line["traceparent"] == "00-1-2-01");
  CHECK_FALSE(line.contains("request_bytes"));
  CHECK_FALSE(line.contains("response_bytes"));
  CHECK_FALSE(line.contains("upstream"));
}

TEST_CASE("there is no ratio of nothing") {
  auto record = chat();
  record.traffic[index(Direction::to_app)].payload_bytes = 0;
  const auto line = nlohmann::json::parse(line_of(record));
  CHECK_FALSE(line.contains("ratio_to_app"));
  CHECK(line.contains("ratio_to_client"));
}

TEST_CASE("the four who can end a connection have names") {
  auto record = chat();
  const auto closer = [&record](ClosedBy who) {
    record.closed_by = who;
    return nlohmann::json::parse(line_of(record))["closed_by"];
  };
  CHECK(closer(ClosedBy::client) == "client");
  CHECK(closer(ClosedBy::app) == "app");
  CHECK(closer(ClosedBy::proxy) == "proxy");
  CHECK(closer(ClosedBy::by_operator) == "operator");
}

TEST_CASE("no secret of a request target is logged") {
  CHECK(path_of("/a/b?token=x") == "/a/b");
  CHECK(path_of("/a#x") == "/a");
  CHECK(path_of("/") == "/");
  CHECK(path_of("") == "");
  CHECK(path_of("?token=x") == "");
  CHECK(path_of("http://user:password@host/a?b") == "/a");
  CHECK(path_of("http://user:password@host") == "/");
  CHECK(path_of("http://user:password@host?a=/b") == "/");
  CHECK(path_of("/redirect/http://x/y") == "/redirect/http://x/y");
}

TEST_CASE("hostile texts stay inside their fields") {
  auto record = chat();
  record.target = "/\xff\"\n";
  record.user_agent = "a\",\"status\":200,\"b\":\"";
  const auto line = nlohmann::json::parse(line_of(record));
  CHECK(line["status"] == 101);
  CHECK(line["path"] == "/\uFFFD\"\n");
  CHECK(line["user_agent"] == "a\",\"status\":200,\"b\":\"");
}

TEST_CASE("above info there is no access line") {
  CHECK(line_of(chat(), LogFormat::json, Level::warning).empty());
}

TEST_CASE("a WebSocket ended as it should by its close code, unless the proxy ended it") {
  AccessRecord record;
  record.status = 101;
  record.cause = "close frame";
  for (const ClosedBy by : {ClosedBy::client, ClosedBy::app, ClosedBy::by_operator}) {
    record.closed_by = by;
    for (const int code : {1000, 1001, 1005}) {
      record.close_code = static_cast<std::uint16_t>(code);
      CHECK(ended_as_it_should(record));
    }
    for (const int code : {1002, 1006, 1007, 1009, 1011, 1012, 3000, 4001}) {
      record.close_code = static_cast<std::uint16_t>(code);
      CHECK_FALSE(ended_as_it_should(record));
    }
  }
  record.closed_by = ClosedBy::proxy;
  record.close_code = 1001;  // idle
  CHECK_FALSE(ended_as_it_should(record));
}

TEST_CASE("a plain request ended as it should when its answer has arrived and is no server error") {
  AccessRecord record;
  record.is_complete = true;
  for (const int status : {200, 304, 404, 499}) {
    record.status = static_cast<std::uint16_t>(status);
    CHECK(ended_as_it_should(record));
  }
  for (const int status : {500, 503, 599}) {
    record.status = static_cast<std::uint16_t>(status);
    CHECK_FALSE(ended_as_it_should(record));
  }
  record.status = 200;
  record.cause = "cut";
  CHECK_FALSE(ended_as_it_should(record));
  record.cause = {};
  record.is_complete = false;  // an app that refuses a WebSocket, a client that left
  CHECK_FALSE(ended_as_it_should(record));
}

TEST_CASE("a line that stands for more than one says for how many") {
  AccessRecord record = chat();
  CHECK_FALSE(nlohmann::json::parse(line_of(record)).contains("sample"));
  record.sample = 100;
  CHECK(nlohmann::json::parse(line_of(record))["sample"] == 100);
}
