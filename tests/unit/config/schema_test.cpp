#include "config/schema.hpp"

#include <regex>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace wsproxy::config {
namespace {

using Json = nlohmann::ordered_json;

/// The schema of one key, by its JSON pointer through `properties` and `items`.
Json at(const std::string& pointer) {
  return schema().at(Json::json_pointer{pointer});
}

TEST_CASE("the schema is of draft 2020-12 and knows no other keys") {
  const Json json = schema();
  CHECK(json["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(json["additionalProperties"] == false);
  CHECK(json["properties"].size() == 14);
}

TEST_CASE("bounds, choices, patterns and defaults are those of the table of keys") {
  const Json level = at("/properties/compression/properties/level");
  CHECK(level["default"] == 6);
  CHECK(level["anyOf"][0] == Json{{"type", "integer"}, {"minimum", 1}, {"maximum", 9}});
  const Json engine = at("/properties/compression/properties/engine");
  CHECK(engine["anyOf"][0]["enum"] == Json{"auto", "zlib", "isal"});
  CHECK(engine["default"] == "auto");
  CHECK(at("/properties/workers/anyOf/1/enum") == Json{"auto"});
  const Json history = at("/properties/compression/properties/history");
  CHECK(history["default"] == "auto");
  CHECK(history["anyOf"][0]["maximum"] == 32768);
  CHECK(history["anyOf"][2]["enum"] == Json{"auto"});
  CHECK(at("/properties/http/properties/forward/default") == true);
  CHECK(at("/properties/timeouts/properties/close/default") == "5s");
  CHECK(at("/properties/limits/properties/write_buffer/anyOf/0/minimum") == 131072);
}

TEST_CASE("any value may come from the environment") {
  CHECK(at("/properties/compression/properties/level/anyOf").back() == Json{{"$ref", "#/$defs/variable"}});
  CHECK(at("/$defs/variable/type") == "string");
}

TEST_CASE("a listener's tls needs its certificate and its key") {
  const Json tls = at("/properties/listeners/items/properties/tls");
  CHECK(tls["required"] == Json{"certificate", "private_key"});
  CHECK(tls["type"] == "object");
  CHECK(tls["additionalProperties"] == false);
  CHECK(tls["properties"].size() == 9);
  CHECK(tls["properties"]["client_auth"]["anyOf"][0]["enum"] == Json{"required", "optional"});
  CHECK(tls["properties"]["client_auth"]["default"] == "required");
  CHECK(tls["properties"]["min_version"]["anyOf"][0]["enum"] == Json{"1.2", "1.3"});
  for (const char* text : {"client_ca", "client_crl", "ciphers", "ciphersuites"}) {
    CHECK(tls["properties"][text]["default"] == "");
  }
}

TEST_CASE("a route's upstream has the keys of the upstream and no defaults of its own") {
  const Json route = at("/properties/routes/items");
  CHECK(route["required"] == Json{"match"});
  const Json upstream = route["properties"]["upstream"]["properties"];
  CHECK(upstream.size() == at("/properties/upstream/properties").size());
  CHECK_FALSE(upstream["lost_code"].contains("default"));
}

bool takes_text(const Json& property, const std::string& text) {
  for (const Json& form : property["anyOf"]) {
    if (form.contains("pattern") && std::regex_search(text, std::regex{std::string{form["pattern"]}}))
      return true;
  }
  return false;
}

TEST_CASE("an address or URL of another kind is refused by the schema already") {
  const Json url = at("/properties/upstream/properties/url");
  for (const char* text : {"ws://app", "wss://app:8443/base/", "WS://[::1]:80", "ws+unix:/run/app.sock",
                           "ws+unix:///run/app.sock"}) {
    CAPTURE(text);
    CHECK(takes_text(url, text));
  }
  CHECK(url["anyOf"].back() == Json{{"$ref", "#/$defs/variable"}});
  for (const char* text : {"http://app", "https://app", "app:8008", "ws:/app", "ws://", "ws://u@app",
                           "ws://app?x", "ws+unix:app.sock", "unix:/run/app.sock", ""}) {
    CAPTURE(text);
    CHECK_FALSE(takes_text(url, text));
  }
  const Json address = at("/properties/admin/properties/address");
  for (const char* text : {"127.0.0.1:9090", "[::1]:0", "localhost:1", "unix:/run/w.sock", "UNIX:/w"}) {
    CAPTURE(text);
    CHECK(takes_text(address, text));
  }
  for (const char* text : {"127.0.0.1", "http://localhost:80", "unix:w.sock", "localhost:http", ":80", ""}) {
    CAPTURE(text);
    CHECK_FALSE(takes_text(address, text));
  }
}

TEST_CASE("sizes and durations out of bounds by a digit are refused by the schema already") {
  CHECK_FALSE(takes_text(at("/properties/compression/properties/memory"), "1KiB"));
  CHECK(takes_text(at("/properties/compression/properties/memory"), "1MiB"));
  CHECK_FALSE(takes_text(at("/properties/timeouts/properties/handshake"), "100h"));
  CHECK(at("/properties/timeouts/properties/idle/anyOf/1/const") == 0);
  CHECK_FALSE(at("/properties/timeouts/properties/close/anyOf/1").contains("const"));
}

TEST_CASE("there is at least one listener, and any number of routes") {
  CHECK(at("/properties/listeners/minItems") == 1);
  CHECK_FALSE(at("/properties/routes").contains("minItems"));
}

}  // namespace
}  // namespace wsproxy::config
