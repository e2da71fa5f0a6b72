#include "config/key_table.hpp"

#include <fmt/format.h>

#include "config/keys.hpp"

namespace wsproxy::config {
namespace {

class TableWriter final : public Visitor {
 public:
  void scalar(const Key& key, Scalar& value) override {
    const std::string text = value.text();
    row(path_to(key), key.required ? "required" : fmt::format("`{}`", text.empty() ? "\"\"" : text),
        value.rule(), key.meaning);
  }

  void texts(const Key& key, TextList list) override {
    row(path_to(key), "`[]`", "a list, each " + list.rule.rule, key.meaning);
  }

  void section(const Key& key, Section& section) override {
    if (!key.same_as.empty()) {
      return row(path_to(key), "inherited", fmt::format("the keys of `{}`", key.same_as), key.meaning);
    }
    row(path_to(key), key.required ? "required" : "", "", key.meaning);
    inside(path_to(key), [&] { section.describe(*this); });
  }

  void optional_section(const Key& key, OptionalSection& optional) override {
    optional.create();
    row(path_to(key), "absent", "", key.meaning);
    inside(path_to(key), [&] { optional.describe(*this); });
  }

  void list(const Key& key, SectionList& list) override {
    const bool is_empty = list.size() == 0;
    row(path_to(key), is_empty ? "`[]`" : "one, as below", "a list", key.meaning);
    if (is_empty) list.add();
    inside(path_to(key) + "[]", [&] { list.describe(0, *this); });
  }

  std::string take_text() { return std::move(text_); }

 private:
  std::string path_to(const Key& key) const { return join_path(path_, key.name); }

  void row(const std::string& path, const std::string& by_default, const std::string& rule,
           const std::string& meaning) {
    text_ += fmt::format("| `{}` | {} | {} | {} |\n", path, by_default, rule, meaning);
  }

  template <class Describe>
  void inside(std::string path, Describe describe_members) {
    const std::string outer = std::exchange(path_, std::move(path));
    describe_members();
    path_ = outer;
  }

  std::string path_;
  std::string text_ = "| Key | Default | Allowed | Meaning |\n|---|---|---|---|\n";
};

}  // namespace

std::string key_table() {
  Config scratch;
  TableWriter writer;
  describe(writer, scratch);
  return writer.take_text();
}

}  // namespace wsproxy::config
