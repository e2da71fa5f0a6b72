#include "deflate/extension_header.hpp"

#include "base/ascii.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::size_t kMaxExtensions = 64;
constexpr std::size_t kMaxParameters = 16;

/// Reads from the front of a header's value, never past its end.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }

  /// Takes `c` and the spaces around it. RFC 6455 builds on RFC 2616, which allows them between any two
  /// tokens.
  bool take(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    skip_spaces();
    return true;
  }

  /// Empty when there is none.
  std::string_view take_token() {
    std::size_t length = 0;
    while (length < rest_.size() && base::is_token_char(rest_[length])) ++length;
    const auto token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return token;
  }

  bool at_quote() const { return !rest_.empty() && rest_.front() == '"'; }

  /// What is between the quotes, with backslashes resolved; nothing when the closing quote is missing.
  std::optional<std::string> take_quoted() {
    std::string value;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      value.push_back(rest_[i]);
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::optional<std::string> read_value(Cursor& cursor) {
  auto value = cursor.at_quote() ? cursor.take_quoted() : std::string{cursor.take_token()};
  if (!value || !base::is_token(*value)) return std::nullopt;
  return value;
}

std::optional<Extension::Parameter> read_parameter(Cursor& cursor) {
  Extension::Parameter parameter;
  parameter.name = cursor.take_token();
  if (parameter.name.empty()) return std::nullopt;
  if (cursor.take('=')) {
    parameter.value = read_value(cursor);
    if (!parameter.value) return std::nullopt;
  }
  return parameter;
}

std::optional<Extension> read_extension(Cursor& cursor) {
  Extension extension;
  extension.name = cursor.take_token();
  if (extension.name.empty()) return std::nullopt;
  while (cursor.take(';')) {
    if (extension.parameters.size() == kMaxParameters) return std::nullopt;
    auto parameter = read_parameter(cursor);
    if (!parameter) return std::nullopt;
    extension.parameters.push_back(std::move(*parameter));
  }
  return extension;
}

}  // namespace

std::optional<std::vector<Extension>> parse_extensions(std::string_view header) {
  std::vector<Extension> extensions;
  Cursor cursor{header};
  cursor.skip_spaces();
  while (!cursor.at_end()) {
    // A list may hold empty elements (RFC 2616 section 2.1).
    if (cursor.take(',')) continue;
    if (extensions.size() == kMaxExtensions) return std::nullopt;
    auto extension = read_extension(cursor);
    if (!extension) return std::nullopt;
    extensions.push_back(std::move(*extension));
    if (!cursor.at_end() && !cursor.take(',') && !cursor.at_end()) return std::nullopt;
  }
  return extensions;
}

}  // namespace wsproxy::deflate
