#include "config/yaml_tree.hpp"

#include <algorithm>
#include <exception>
#include <sstream>
#include <string_view>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/utf8.hpp"
#include "config/text_rules.hpp"

namespace wsproxy::config {
namespace {

Position position(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

/// Ends the parse from inside an event; never leaves parse_yaml().
struct Refusal {
  Position at;
  std::string problem;
};

/// Builds the tree from the parser's events. `open_` are the maps and sequences not yet ended; their
/// addresses hold since only the innermost one gets new children.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlNode& root) : root_(root) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw Refusal{position(mark),
                    "a second document begins here, only one is allowed; is the indentation right?"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, "", anchor, YamlNode::Kind::null);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{position(mark), "aliases are not supported, write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (is_key_next()) return take_key(mark, value);
    add(mark, tag, anchor, YamlNode::Kind::scalar).text = value;
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back(&add(mark, tag, anchor, YamlNode::Kind::sequence));
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back(&add(mark, tag, anchor, YamlNode::Kind::map));
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  bool is_key_next() const {
    return !open_.empty() && open_.back()->kind == YamlNode::Kind::map && !has_key_;
  }

  void take_key(const YAML::Mark& mark, const std::string& key) {
    count(mark);
    if (!is_printable(key)) throw Refusal{position(mark), "a key has a control character"};
    open_.back()->members.push_back({key, position(mark), {}});
    has_key_ = true;
  }

  YamlNode& add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    count(mark);
    if (anchor != 0) throw Refusal{position(mark), "anchors are not supported, write the value out"};
    if (!tag.empty() && tag != "?" && tag != "!")
      throw Refusal{position(mark), "tags are not supported, remove it"};
    if (is_key_next()) throw Refusal{position(mark), "a key must be a word"};
    YamlNode& node = place();
    node.kind = kind;
    node.at = position(mark);
    has_key_ = false;
    return node;
  }

  YamlNode& place() {
    if (open_.empty()) return root_;
    if (open_.back()->kind == YamlNode::Kind::map) return open_.back()->members.back().value;
    return open_.back()->items.emplace_back();
  }

  void count(const YAML::Mark& mark) {
    if (++nodes_ <= kMaxYamlNodes) return;
    throw Refusal{position(mark),
                  "there are more than " + std::to_string(kMaxYamlNodes) + " values and keys"};
  }

  YamlNode& root_;
  std::vector<YamlNode*> open_;
  bool has_key_ = false;  // in the innermost map: its value comes next
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

YamlDocument refused(Position at, std::string problem) {
  return {{}, std::move(problem), at};
}

/// yaml-cpp quotes a single octet of the file, which may be a part of a character or a control.
std::string not_valid(std::string message) {
  if (!is_printable(message)) {
    std::ranges::replace_if(
        message, [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  }
  return "is not valid YAML: " + message;
}

}  // namespace

YamlDocument parse_yaml(const std::string& text) {
  if (text.size() > kMaxYamlBytes) return refused({}, "is larger than 1 MiB");
  if (text.find('\0') != std::string::npos || !base::is_utf8(text)) return refused({}, "is not UTF-8 text");
  YamlDocument document;
  try {
    std::istringstream stream{text};
    YAML::Parser parser{stream};
    TreeBuilder builder{document.root};
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return refused(refusal.at, refusal.problem);
  } catch (const YAML::Exception& error) {
    return refused(position(error.mark), not_valid(error.msg));
  } catch (const std::exception& error) {
    return refused({}, not_valid(error.what()));
  }
  return document;
}

}  // namespace wsproxy::config
