#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// A YAML document as plain data with positions. Anchors, aliases, tags and further documents are
/// refused: a config needs none of them, and aliases make small files large.
namespace wsproxy::config {

inline constexpr std::size_t kMaxYamlBytes = 1 << 20;
inline constexpr std::size_t kMaxYamlNodes = 20'000;

/// From 1; a line of 0 is no position.
struct Position {
  int line = 0;
  int column = 0;
  auto operator<=>(const Position&) const = default;
};

struct YamlMember;

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };
  Kind kind = Kind::null;
  Position at;
  std::string text;                 // of a scalar
  std::vector<YamlNode> items;      // of a sequence
  std::vector<YamlMember> members;  // of a map, in the file's order, duplicates included
};

struct YamlMember {
  std::string key;
  Position at;  // of the key
  YamlNode value;
};

struct YamlDocument {
  YamlNode root;
  std::string problem;  // empty: good
  Position problem_at;
};

YamlDocument parse_yaml(const std::string& text);

}  // namespace wsproxy::config
