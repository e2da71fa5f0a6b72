#include "http/client_address.hpp"

#include <algorithm>
#include <vector>

#include "base/ascii.hpp"

namespace wsproxy::http {
namespace {

bool is_address_char(char c) {
  return base::hex_value(c) || c == ':' || c == '.';
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), base::is_digit);
}

/// An address without port and brackets; empty when it is none. Only what its characters say: whoever
/// compares it parses it.
std::string_view bare_address(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return {};
    const std::string_view behind = text.substr(close + 1);
    if (!behind.empty() && !(behind.starts_with(':') && is_port(behind.substr(1)))) return {};
    text = text.substr(1, close - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const std::size_t colon = text.find(':');
    if (!is_port(text.substr(colon + 1))) return {};
    text = text.substr(0, colon);
  }
  const bool has_separator = text.find_first_of(":.") != std::string_view::npos;
  return has_separator && std::all_of(text.begin(), text.end(), is_address_char) ? text : std::string_view{};
}

/// Cuts at `mark` where that is not inside a quoted string.
std::vector<std::string_view> cut(std::string_view text, char mark) {
  std::vector<std::string_view> parts;
  bool in_quotes = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_quotes && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_quotes = !in_quotes;
    } else if (text[i] == mark && !in_quotes) {
      parts.push_back(base::trim(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(base::trim(text.substr(begin)));
  return parts;
}

/// What "for" says in one element of Forwarded; empty when it says nothing.
std::string_view node_of(std::string_view element) {
  for (const std::string_view pair : cut(element, ';')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || !base::iequals(pair.substr(0, equals), "for")) continue;
    std::string_view value = pair.substr(equals + 1);
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
      value = value.substr(1, value.size() - 2);
    }
    return value;
  }
  return {};
}

}  // namespace

std::string client_address(const Fields& fields, std::string_view peer,
                           const std::function<bool(const std::string&)>& is_trusted) {
  std::string address{peer};
  const bool has_chain = fields.count("x-forwarded-for") > 0;
  const std::string chain = fields.joined(has_chain ? "x-forwarded-for" : "forwarded");
  std::vector<std::string_view> hops = cut(chain, ',');
  while (!hops.empty() && is_trusted(address)) {
    const std::string_view hop = bare_address(has_chain ? hops.back() : node_of(hops.back()));
    if (hop.empty()) break;
    address = hop;
    hops.pop_back();
  }
  return address;
}

}  // namespace wsproxy::http
