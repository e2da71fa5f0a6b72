#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/scalar.hpp"

/// The one table of keys: describe() shows every key of the file to a visitor, in the file's order. The
/// reader, the dump, the JSON Schema and the reference page are such visitors, so they cannot disagree.
namespace wsproxy::config {

struct Key {
  std::string name;
  std::string meaning;
  bool required = false;
  bool secret = false;       // the value is not shown
  std::string same_as = {};  // a section with the keys of that one, which also gives the defaults
  bool needs_items = false;  // a list that may not be empty
};

/// Stands for a secret that is set, wherever values are shown.
constexpr std::string_view kHidden = "(hidden)";

class Visitor;

/// The keys of one map.
class Section {
 public:
  virtual ~Section() = default;
  virtual void describe(Visitor& visitor) = 0;
};

/// A section that may be absent.
class OptionalSection : public Section {
 public:
  virtual bool is_present() const = 0;
  /// Makes it present with its defaults; describe() is only for a present one.
  virtual void create() = 0;
};

/// A list of maps.
class SectionList {
 public:
  virtual ~SectionList() = default;
  virtual std::size_t size() const = 0;
  virtual void clear() = 0;
  virtual void add() = 0;
  virtual void describe(std::size_t index, Visitor& visitor) = 0;
};

/// A list of texts that obey one rule.
struct TextList {
  std::vector<std::string>& texts;
  TextRule rule;
};

class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void scalar(const Key& key, Scalar& value) = 0;
  virtual void texts(const Key& key, TextList list) = 0;
  virtual void section(const Key& key, Section& section) = 0;
  virtual void optional_section(const Key& key, OptionalSection& section) = 0;
  virtual void list(const Key& key, SectionList& list) = 0;
  /// No key of this map, but of one that looks like it: what to tell somebody who writes it here.
  virtual void misplaced(const std::string& /*name*/, const std::string& /*advice*/) {}
};

void describe(Visitor& visitor, Config& config);

/// `listeners` and `address` give `listeners.address`.
std::string join_path(const std::string& parent, const std::string& name);

}  // namespace wsproxy::config
