#include "config/dump.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "config/environment.hpp"
#include "config/keys.hpp"

namespace wsproxy::config {
namespace {

bool is_plain_char(char c) {
  return base::is_token_char(c) ? std::string_view{"!#%&'*`|"}.find(c) == std::string_view::npos
                                : c == '/' || c == ':';
}

/// Whether a text means itself, to any YAML reader, without quotes.
bool may_be_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWords{"null", "true", "false", "yes", "no",
                                                          "on",   "off",  "y",     "n"};
  if (text.empty() || text.ends_with(':') || !std::all_of(text.begin(), text.end(), is_plain_char))
    return false;
  const char first = base::to_lower(text.front());
  const bool is_ipv4 = base::is_digit(first) && std::count(text.begin(), text.end(), '.') >= 3;
  if (!is_ipv4 && first != '/' && (first < 'a' || first > 'z')) return false;
  return std::find(kWords.begin(), kWords.end(), base::to_lower(text)) == kWords.end();
}

std::string in_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') quoted += '\\';
    if (octet < 0x20 || octet == 0x7F)
      quoted += fmt::format("\\x{:02x}", octet);
    else
      quoted += c;
  }
  return quoted + "\"";
}

std::string text_value(std::string_view text) {
  const std::string escaped = escape_dollars(text);
  return may_be_plain(escaped) ? escaped : in_quotes(escaped);
}

class Dumper final : public Visitor {
 public:
  void scalar(const Key& key, Scalar& value) override {
    std::string text = value.text();
    if (key.secret && !text.empty()) text = kHidden;
    line(key.name + ": " + (value.shape().type == Shape::Type::text ? text_value(text) : text));
  }

  void texts(const Key& key, TextList list) override {
    if (list.texts.empty()) return line(key.name + ": []");
    line(key.name + ":");
    for (const std::string& text : list.texts) line("  - " + text_value(text));
  }

  void section(const Key& key, Section& section) override {
    line(key.name + ":");
    ++depth_;
    section.describe(*this);
    --depth_;
  }

  void optional_section(const Key& key, OptionalSection& optional) override {
    if (optional.is_present()) section(key, optional);
  }

  void list(const Key& key, SectionList& list) override {
    if (list.size() == 0) return line(key.name + ": []");
    line(key.name + ":");
    depth_ += 2;
    for (std::size_t i = 0; i < list.size(); ++i) {
      begins_item_ = true;
      list.describe(i, *this);
    }
    depth_ -= 2;
  }

  std::string take_text() { return std::move(text_); }

 private:
  /// The first line of a list's item has the dash in front.
  void line(const std::string& content) {
    std::string indent(2 * depth_, ' ');
    if (begins_item_) indent.replace(indent.size() - 2, 2, "- ");
    begins_item_ = false;
    text_ += indent + content + "\n";
  }

  std::string text_;
  std::size_t depth_ = 0;
  bool begins_item_ = false;
};

}  // namespace

std::string dump(const Config& config) {
  Config copy = config;  // the table of keys is for readers too and wants to write
  Dumper dumper;
  describe(dumper, copy);
  return dumper.take_text();
}

}  // namespace wsproxy::config
