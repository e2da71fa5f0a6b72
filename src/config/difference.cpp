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

using Texts = std::map<std::string, std::string>;  // by key

Texts texts_of(const std::vector<Value>& values) {
  Texts texts;
  for (const Value& value : values) texts.emplace(value.key, value.text);
  return texts;
}

/// Whether a route has there what it would have from above.
bool is_from_above(const std::string& key, const Texts& texts) {
  if (!key.starts_with("routes[")) return false;
  const auto above = texts.find(key.substr(key.find("].") + 2));
  return above != texts.end() && above->second == texts.at(key);
}

std::string shown(const Value& value) {
  return value.is_secret && !value.text.empty() ? std::string{kHidden} : value.text;
}

}  // namespace

std::vector<Change> difference(const Config& before, const Config& after) {
  const std::vector<Value> old = values_of(before);
  const std::vector<Value> now = values_of(after);
  const Texts old_texts = texts_of(old);
  const Texts new_texts = texts_of(now);
  std::vector<Change> changes;
  for (const Value& value : now) {
    const auto found = old_texts.find(value.key);
    if (found == old_texts.end()) {
      changes.push_back({value.key, std::string{kNone}, shown(value)});
    } else if (found->second != value.text &&
               !(is_from_above(value.key, old_texts) && is_from_above(value.key, new_texts))) {
      changes.push_back({value.key, shown({value.key, found->second, value.is_secret}), shown(value)});
    }
  }
  for (const Value& value : old) {
    if (!new_texts.contains(value.key)) changes.push_back({value.key, shown(value), std::string{kNone}});
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
