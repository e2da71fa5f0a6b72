#include "config/schema.hpp"

#include <fstream>
#include <sstream>

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
}

TEST_CASE("a route's upstream has the keys of the upstream and no defaults of its own") {
  const Json route = at("/properties/routes/items");
  CHECK(route["required"] == Json{"match"});
  const Json upstream = route["properties"]["upstream"]["properties"];
  CHECK(upstream.size() == at("/properties/upstream/properties").size());
  CHECK_FALSE(upstream["lost_code"].contains("default"));
}

}  // namespace
}  // namespace wsproxy::config
