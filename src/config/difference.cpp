#include "config/difference.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/keys.hpp"

namespace wsproxy::config {
namespace {

constexpr std::string_view kNone = "(none)";

struct Value {
  std::string key;
  std::string text;
  bool is_secret = false;
};

/// All values of a configuration, one after the other.
class Flattener final : public Visitor {
 public:
  void scalar(const Key& key, Scalar& value) override {
    values_.push_back({join_path(path_, key.name), value.text(), key.secret});
  }
  void texts(const Key& key, TextList list) override {
    values_.push_back({join_path(path_, key.name), fmt::format("[{}]", fmt::join(list.texts, ", "))});
  }
  void section(const Key& key, Section& section) override {
    within(join_path(path_, key.name), [&] { section.describe(*this); });
  }
  void optional_section(const Key& key, OptionalSection& optional) override {
    if (optional.is_present()) section(key, optional);
  }
  void list(const Key& key, SectionList& list) override {
    for (std::size_t i = 0; i < list.size(); ++i) {
      within(fmt::format("{}[{}]", join_path(path_, key.name), i), [&] { list.describe(i, *this); });
    }
  }

  std::vector<Value> take() { return std::move(values_); }

 private:
  template <class Function>
  void within(std::string path, Function function) {
    std::swap(path_, path);
    function();
    std::swap(path_, path);
  }

  std::string path_;
  std::vector<Value> values_;
};

std::vector<Value> values_of(const Config& config) {
  Config copy = config;  // the table of keys is for readers too and wants to write
  Flattener flattener;
  describe(flattener, copy);
  return flattener.take();
}

std::string shown(const Value& value) {
  return value.is_secret && !value.text.empty() ? std::string{kHidden} : value.text;
}

}  // namespace

std::vector<Change> difference(const Config& before, const Config& after) {
  const std::vector<Value> now = values_of(after);
  std::map<std::string, Value> old;
  std::vector<Value> in_order = values_of(before);
  for (const Value& value : in_order) old.emplace(value.key, value);
  std::vector<Change> changes;
  for (const Value& value : now) {
    const auto found = old.find(value.key);
    if (found == old.end()) {
      changes.push_back({value.key, std::string{kNone}, shown(value)});
      continue;
    }
    if (found->second.text != value.text) changes.push_back({value.key, shown(found->second), shown(value)});
    old.erase(found);
  }
  for (const Value& value : in_order) {
    if (old.contains(value.key)) changes.push_back({value.key, shown(value), std::string{kNone}});
  }
  return changes;
}

bool needs_restart(const std::string& key) {
  static constexpr std::array<std::string_view, 5> kFixed{"workers", "admin.address", "compression.memory",
                                                          "log.format", "sentry."};
  return std::ranges::any_of(kFixed, [&key](std::string_view fixed) {
    return fixed.ends_with('.') ? key.starts_with(fixed) : key == fixed;
  });
}

}  // namespace wsproxy::config
