#include "cli/given.hpp"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "base/ascii.hpp"
#include "config/address.hpp"
#include "config/text_rules.hpp"

namespace wsproxy::cli {
namespace {

/// What is wrong stands first: the value, then what is allowed.
void judge(const std::string& source, const std::string& shown, const std::string& problem,
           const std::string& rule) {
  if (!problem.empty()) throw UsageError{source + ": " + shown + " " + problem + ", must be " + rule};
}

std::string in_quotes(const std::string& value) {
  return config::is_printable(value) ? "\"" + value + "\"" : "the value";
}

/// Has the config judge the value as it would one of the file.
void judge(const std::string& source, const std::string& value, config::Scalar& scalar) {
  judge(source, in_quotes(value), scalar.read(value), scalar.rule());
}

bool is_word_of(const std::string& value, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), base::to_lower(value)) != words.end();
}

bool means_on(const std::string& source, const std::string& value) {
  if (is_word_of(value, {"true", "1", "yes", "on"})) return true;
  if (is_word_of(value, {"false", "0", "no", "off"})) return false;
  throw UsageError{source + ": " + in_quotes(value) +
                   " is no switch, must be one of true, false, yes, no, on, off, 1, 0"};
}

}  // namespace

std::optional<Givens::Given> Givens::find(const CLI::Option* option, const std::string& variable) const {
  if (option->count() > 0) return Given{option->results().back(), option->get_name()};
  return find_in_environment(variable);
}

std::optional<Givens::Given> Givens::find_in_environment(const std::string& variable) const {
  if (variable.empty()) return std::nullopt;
  const auto value = environment_(variable);
  if (!value || value->empty()) return std::nullopt;
  return Given{*value, variable};
}

std::optional<std::string> Givens::text(const CLI::Option* option, const std::string& variable) const {
  const auto given = find(option, variable);
  if (!given) return std::nullopt;
  const bool is_good = !given->value.empty() && config::is_printable(given->value);
  judge(given->source, in_quotes(given->value), is_good ? "" : "is wrong", "a text");
  return given->value;
}

std::optional<std::string> Givens::host(const CLI::Option* option, const std::string& variable) const {
  auto given = find(option, variable);
  if (!given) return std::nullopt;
  std::string host = given->value;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  judge(given->source, in_quotes(given->value), config::is_host(host) ? "" : "is no host",
        "a name or an IP address");
  return host;
}

std::optional<std::uint16_t> Givens::port(const CLI::Option* option, const std::string& variable) const {
  const auto given = find(option, variable);
  if (!given) return std::nullopt;
  std::uint16_t port = 0;
  config::Whole number{port, 0, 65535};
  judge(given->source, given->value, number);
  return port;
}

std::optional<std::string> Givens::upstream_url(const CLI::Option* option,
                                                const std::string& variable) const {
  const auto given = find(option, variable);
  if (!given) return std::nullopt;
  config::UpstreamUrl url;
  config::UrlText text{url};
  judge(given->source, given->value, text);
  return given->value;
}

std::optional<std::string> Givens::address(const CLI::Option* option, const std::string& variable) const {
  const auto given = find(option, variable);
  if (!given) return std::nullopt;
  config::Address address;
  config::AddressText text{address};
  judge(given->source, given->value, text);
  return given->value;
}

std::optional<std::string> Givens::dsn(const CLI::Option* option, const std::string& variable) const {
  const auto given = find(option, variable);
  if (!given) return std::nullopt;
  const auto rule = config::dsn_rule();
  judge(given->source, "the value", rule.problem(given->value), rule.rule);  // a secret is not shown
  return given->value;
}

bool Givens::flag(const CLI::Option* option, const std::string& variable) const {
  if (option->count() > 0) return option->as<bool>();
  const auto given = find_in_environment(variable);
  return given && means_on(given->source, given->value);
}

int Givens::verbosity(const CLI::Option* option, const std::string& variable) const {
  if (option->count() > 0) return static_cast<int>(std::min<std::size_t>(option->count(), 2));
  const auto given = find_in_environment(variable);
  if (!given) return 0;
  if (given->value == "2") return 2;
  return means_on(given->source, given->value) ? 1 : 0;
}

}  // namespace wsproxy::cli
