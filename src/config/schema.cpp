#include "config/schema.hpp"

#include <nlohmann/json.hpp>

#include "config/keys.hpp"

namespace wsproxy::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kWithVariable = R"(\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\})";

Json whole(const Shape& shape) {
  return {{"type", "integer"}, {"minimum", shape.least}, {"maximum", shape.most}};
}

/// Any value may have a variable in it: only the reader knows what that will be.
Json any_of(Json forms) {
  forms.push_back({{"$ref", "#/$defs/variable"}});
  return {{"anyOf", std::move(forms)}};
}

Json text_like(const std::string& pattern) {
  return {{"type", "string"}, {"pattern", pattern}};
}

Json scalar_schema(const Shape& shape) {
  switch (shape.type) {
    case Shape::Type::flag:
      return any_of(Json::array({{{"type", "boolean"}}}));
    case Shape::Type::duration: {
      Json forms = Json::array({text_like(shape.pattern)});
      if (shape.least == 0) forms.push_back({{"const", 0}});
      return any_of(std::move(forms));
    }
    case Shape::Type::size:
    case Shape::Type::whole: {
      Json forms = Json::array({whole(shape)});
      if (shape.type == Shape::Type::size) forms.push_back(text_like(shape.pattern));
      if (!shape.words.empty()) forms.push_back({{"enum", shape.words}});
      return any_of(std::move(forms));
    }
    case Shape::Type::text:
      break;
  }
  if (!shape.pattern.empty()) return any_of(Json::array({text_like(shape.pattern)}));
  if (shape.words.empty()) return {{"type", "string"}};
  return any_of(Json::array({{{"enum", shape.words}}}));
}

Json default_of(const Scalar& value) {
  const Shape shape = value.shape();
  const std::string text = value.text();
  if (shape.type == Shape::Type::flag) return text == "true";
  const bool is_number =
      shape.type == Shape::Type::whole && text.find_first_not_of("0123456789") == std::string::npos;
  if (is_number) return std::stoull(text);
  return text;
}

class SchemaWriter final : public Visitor {
 public:
  void scalar(const Key& key, Scalar& value) override {
    Json property = scalar_schema(value.shape());
    property["description"] = key.meaning + "; " + value.rule();
    if (!key.required && !is_inherited_) property["default"] = default_of(value);
    add(key, std::move(property));
  }

  void texts(const Key& key, TextList list) override {
    add(key, {{"type", Json::array({"array", "null"})},
              {"items", {{"type", "string"}, {"description", list.rule.rule}}},
              {"description", key.meaning},
              {"default", Json::array()}});
  }

  void section(const Key& key, Section& section) override {
    const bool was_inherited = std::exchange(is_inherited_, is_inherited_ || !key.same_as.empty());
    Json property = {{"description", key.meaning}};
    property.update(map_of([&] { section.describe(*this); }));
    is_inherited_ = was_inherited;
    add(key, std::move(property));
  }

  void optional_section(const Key& key, OptionalSection& optional) override {
    optional.create();
    section(key, optional);
  }

  void list(const Key& key, SectionList& list) override {
    if (list.size() == 0) list.add();
    Json property = {{"description", key.meaning}, {"type", Json::array({"array", "null"})}};
    if (key.needs_items) property["minItems"] = 1;
    property["items"] = map_of([&] { list.describe(0, *this); });
    add(key, std::move(property));
  }

  /// The schema of the map whose keys `describe_members` shows.
  template <class Describe>
  Json map_of(Describe describe_members) {
    Json outer = std::exchange(map_, {{"type", Json::array({"object", "null"})},
                                      {"additionalProperties", false},
                                      {"required", Json::array()},
                                      {"properties", Json::object()}});
    describe_members();
    if (map_["required"].empty())
      map_.erase("required");
    else
      map_["type"] = "object";
    return std::exchange(map_, std::move(outer));
  }

 private:
  void add(const Key& key, Json property) {
    if (key.required) map_["required"].push_back(key.name);
    map_["properties"][key.name] = std::move(property);
  }

  Json map_;
  bool is_inherited_ = false;  // defaults come from another section
};

}  // namespace

Json schema() {
  Config scratch;
  SchemaWriter writer;
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", "wsproxy configuration"}};
  root.update(writer.map_of([&] { describe(writer, scratch); }));
  root["$defs"] = {{"variable",
                    {{"type", "string"},
                     {"pattern", kWithVariable},
                     {"description", "taken from the environment: ${NAME} or ${NAME:-default}"}}}};
  return root;
}

}  // namespace wsproxy::config
