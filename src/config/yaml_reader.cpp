#include "config/yaml_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "config/file.hpp"
#include "config/keys.hpp"
#include "config/suggest.hpp"
#include "config/text_rules.hpp"
#include "config/validate.hpp"
#include "config/yaml_tree.hpp"

namespace wsproxy::config {
namespace {

constexpr std::size_t kLongestQuote = 80;

std::string in_quotes(std::string_view text) {
  if (!is_printable(text)) return "the value";
  if (text.size() <= kLongestQuote) return fmt::format("\"{}\"", text);
  return fmt::format("\"{}...\"", base::cut_between_characters(text, kLongestQuote));
}

std::string name_of(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::sequence:
      return "is a list";
    case YamlNode::Kind::map:
      return "is a map";
    case YamlNode::Kind::scalar:
      return "is a single value";
    case YamlNode::Kind::null:
      break;
  }
  return "has no value";
}

/// `a[0].b` gives `a[0]`, that `a`, that nothing.
std::string parent_of(const std::string& key) {
  const auto cut = key.find_last_of(".[");
  return cut == std::string::npos ? std::string{} : key.substr(0, cut);
}

bool is_within(std::string key, const std::set<std::string>& keys) {
  for (; !key.empty(); key = parent_of(key)) {
    if (keys.contains(key)) return true;
  }
  return false;
}

bool has_within(const std::string& key, const std::set<std::string>& keys) {
  return std::ranges::any_of(keys, [&key](const std::string& other) {
    return other.starts_with(key) && (other[key.size()] == '.' || other[key.size()] == '[');
  });
}

/// Walks the table of keys and the YAML tree side by side.
class Reader final : public Visitor {
 public:
  enum class Secrets : std::uint8_t { written, hidden };  // hidden: as in a dump

  Reader(const Environment& environment, Secrets secrets) : environment_(environment), secrets_(secrets) {}

  void read(const YamlNode& root, Config& config) {
    enter(root, "", root.at, [&] { describe(*this, config); });
  }

  void scalar(const Key& key, Scalar& value) override {
    const YamlMember* member = find(key);
    if (member != nullptr) read_scalar(member->value, path_, key.secret, value);
  }

  void texts(const Key& key, TextList list) override {
    const YamlMember* member = find(key);
    if (member == nullptr || !is_list(member->value)) return;
    list.texts.clear();
    for (std::size_t i = 0; i < member->value.items.size(); ++i) {
      std::string text;
      Text value{text, list.rule};
      read_scalar(member->value.items[i], fmt::format("{}[{}]", path_, i), key.secret, value);
      list.texts.push_back(text);
    }
  }

  void section(const Key& key, Section& section) override {
    const YamlMember* member = find(key);
    if (member != nullptr) enter(member->value, path_, member->at, [&] { section.describe(*this); });
  }

  void optional_section(const Key& key, OptionalSection& section) override {
    const YamlMember* member = find(key);
    if (member == nullptr) return;
    section.create();
    enter(member->value, path_, member->at, [&] { section.describe(*this); });
  }

  void list(const Key& key, SectionList& list) override {
    const YamlMember* member = find(key);
    if (member == nullptr || !is_list(member->value)) return;
    const std::string path = path_;
    list.clear();
    for (std::size_t i = 0; i < member->value.items.size(); ++i) {
      const YamlNode& item = member->value.items[i];
      list.add();
      positions_[fmt::format("{}[{}]", path, i)] = item.at;
      enter(item, fmt::format("{}[{}]", path, i), item.at, [&] { list.describe(i, *this); });
    }
  }

  void misplaced(const std::string& name, const std::string& advice) override {
    map_.misplaced[name] = advice;
  }

  void report(Position at, const std::string& key, std::string problem) {
    errors_.push_back({"", at.line, at.column, key, std::move(problem)});
  }

  /// Where `key` or, when it is not in the file, the nearest one around it stands.
  Position position_of(std::string key) const {
    for (; !key.empty(); key = parent_of(key)) {
      const auto found = positions_.find(key);
      if (found != positions_.end()) return found->second;
    }
    return {1, 1};
  }

  std::set<std::string> wrong_keys() const {
    std::set<std::string> keys;
    for (const Error& error : errors_) keys.insert(error.key);
    return keys;
  }

  std::vector<Error> take_errors() { return std::move(errors_); }

 private:
  /// The map that is being read.
  struct Map {
    const YamlNode* node = nullptr;
    std::string path;
    Position at;
    std::vector<std::string> known;
    std::map<std::string, std::string> misplaced;  // what to tell of each
  };

  template <class Describe>
  void enter(const YamlNode& node, const std::string& path, Position at, Describe describe_members) {
    const bool is_empty = node.kind == YamlNode::Kind::null;
    if (!is_empty && node.kind != YamlNode::Kind::map) {
      return report(node.at, path, name_of(node.kind) + ", must be a map of keys");
    }
    Map outer = std::exchange(map_, Map{&node, path, is_empty ? at : node.at, {}, {}});
    describe_members();
    report_unknown_keys();
    map_ = std::move(outer);
  }

  /// The member of the current map; path_ is then its path. A missing one is an error if it is required.
  const YamlMember* find(const Key& key) {
    map_.known.push_back(key.name);
    path_ = join_path(map_.path, key.name);
    const YamlMember* found = nullptr;
    for (const YamlMember& member : map_.node->members) {
      if (member.key != key.name) continue;
      if (found != nullptr) {
        report(member.at, path_, fmt::format("is given twice, first in line {}; remove one", found->at.line));
        continue;
      }
      found = &member;
    }
    if (found == nullptr && key.required) report(map_.at, path_, "is missing, it is required here");
    if (found != nullptr)
      positions_[path_] = found->value.kind == YamlNode::Kind::null ? found->at : found->value.at;
    return found;
  }

  /// No value at all leaves the default.
  bool is_list(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::sequence) return true;
    if (node.kind == YamlNode::Kind::null) return false;
    report(node.at, path_, name_of(node.kind) + ", must be a list");
    return false;
  }

  void read_scalar(const YamlNode& node, const std::string& path, bool is_secret, Scalar& value) {
    if (node.kind != YamlNode::Kind::scalar) {
      const Position at = node.kind == YamlNode::Kind::null ? position_of(path) : node.at;
      return report(at, path, fmt::format("{}, must be {}", name_of(node.kind), value.rule()));
    }
    if (is_secret && secrets_ == Secrets::hidden && node.text == kHidden) return;
    const Expansion expansion = expand(node.text, environment_);
    if (!expansion.problem.empty()) return report(node.at, path, expansion.problem);
    const std::string shown = is_secret ? "the value" : in_quotes(expansion.text);
    const std::string problem =
        is_printable(expansion.text) ? value.read(expansion.text) : "has a control character or is not UTF-8";
    if (!problem.empty())
      report(node.at, path, fmt::format("{} {}, must be {}", shown, problem, value.rule()));
  }

  void report_unknown_keys() {
    for (const YamlMember& member : map_.node->members) {
      if (std::find(map_.known.begin(), map_.known.end(), member.key) != map_.known.end()) continue;
      const auto misplaced = map_.misplaced.find(member.key);
      if (misplaced != map_.misplaced.end()) {
        report(member.at, join_path(map_.path, member.key), misplaced->second);
        continue;
      }
      const auto meant = suggest(member.key, map_.known);
      const std::string advice = meant ? "did you mean " + *meant + "?"
                                       : "allowed: " + fmt::format("{}", fmt::join(map_.known, ", "));
      report(member.at, join_path(map_.path, member.key), "unknown key, " + advice);
    }
  }

  const Environment& environment_;
  Secrets secrets_;
  Map map_;
  std::string path_;  // of the key that find() was asked for last
  std::map<std::string, Position> positions_;
  std::vector<Error> errors_;
};

void sort_by_position(std::vector<Error>& errors) {
  std::stable_sort(errors.begin(), errors.end(), [](const Error& a, const Error& b) {
    return Position{a.line, a.column} < Position{b.line, b.column};
  });
}

ReadResult read(std::string_view yaml, const std::string& file_name, Reader reader,
                const FurtherCheck& further) {
  ReadResult result;
  const YamlDocument document = parse_yaml(std::string{yaml});
  if (!document.problem.empty()) {
    const Position at = document.problem_at;
    result.errors.push_back({file_name, at.line, at.column, "", document.problem});
    return result;
  }
  reader.read(document.root, result.config);
  const std::set<std::string> wrong_keys = reader.wrong_keys();
  for (const Error& error : validate(result.config)) {
    // What is wrong itself, or a part of it, was compared by its default only.
    if (is_within(error.key, wrong_keys) || has_within(error.key, wrong_keys)) continue;
    reader.report(reader.position_of(error.key), error.key, error.problem);
  }
  if (further && reader.wrong_keys().empty()) {
    for (const Error& error : further(result.config)) {
      reader.report(reader.position_of(error.key), error.key, error.problem);
    }
  }
  result.errors = reader.take_errors();
  for (Error& error : result.errors) error.file = file_name;
  sort_by_position(result.errors);
  return result;
}

}  // namespace

ReadResult read_config(std::string_view yaml, const std::string& file_name, const Environment& environment,
                       const FurtherCheck& further) {
  return read(yaml, file_name, Reader{environment, Reader::Secrets::written}, further);
}

ReadResult load_config(const std::string& path, const Environment& environment, const FurtherCheck& further) {
  const auto text = read_file(path, kMaxYamlBytes);
  if (text) return read_config(*text, path, environment, further);
  return {{}, {{path, 0, 0, "", text.problem}}};
}

ReadResult read_dump(std::string_view yaml, const std::string& name) {
  const Environment empty = [](const std::string&) { return std::nullopt; };
  return read(yaml, name, Reader{empty, Reader::Secrets::hidden}, {});
}

}  // namespace wsproxy::config
