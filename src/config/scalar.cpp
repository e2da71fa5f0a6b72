#include "config/scalar.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "config/address.hpp"
#include "config/units.hpp"

namespace wsproxy::config {
namespace {

constexpr const char* kAutomatic = "auto";

}  // namespace

std::string one_of(std::span<const std::string> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string Flag::read(std::string_view written) {
  if (written != "true" && written != "false") return "is not a flag";
  value_ = written == "true";
  return {};
}

std::string Bounded::store(std::uint64_t number) {
  if (number < least_ || number > most_) return "is out of range";
  store_(number);
  return {};
}

std::string Whole::read(std::string_view written) {
  if (!word_of_zero_.empty() && written == word_of_zero_) {
    const auto least = std::exchange(least_, 0);
    const auto problem = store(0);
    least_ = least;
    return problem;
  }
  const auto number = base::parse_decimal(written);
  if (number) return store(*number);
  const bool only_digits = written.find_first_not_of("0123456789") == std::string_view::npos;
  return only_digits && !written.empty() ? "is out of range" : "is not a whole number";
}

std::string Whole::text() const {
  return now() == 0 && !word_of_zero_.empty() ? word_of_zero_ : std::to_string(now());
}

std::string Whole::rule() const {
  const std::string word = word_of_zero_.empty() ? "" : word_of_zero_ + " or ";
  return word + std::to_string(least_) + " to " + std::to_string(most_);
}

Shape Whole::shape() const {
  Shape shape{Shape::Type::whole, least_, most_};
  if (!word_of_zero_.empty()) shape.words.push_back(word_of_zero_);
  return shape;
}

std::string CloseCode::read(std::string_view written) {
  const auto code = base::parse_decimal(written);
  if (!code) return "is not a close code";
  const bool is_reserved = (*code > 1003 && *code < 1007) || (*code > 1014 && *code < 3000);
  return is_reserved ? "may not stand in a close frame" : store(*code);
}

std::string Size::read(std::string_view written) {
  const auto bytes = parse_size(written);
  return bytes ? store(*bytes) : bytes.problem;
}

std::string Size::text() const {
  return size_text(now());
}

std::string Size::rule() const {
  return "a size from " + size_text(least_) + " to " + size_text(most_) + " (units B KiB MiB GiB KB MB GB)";
}

Shape Size::shape() const {
  return {Shape::Type::size, least_, most_, {}, size_pattern(least_, most_)};
}

std::string Reach::read(std::string_view written) {
  if (written == kAutomatic) {
    value_ = {};
    return {};
  }
  std::uint32_t bytes = 0;
  std::string problem = Size{bytes, 0, HistoryReach::kMost}.read(written);
  if (problem.empty()) value_ = {.is_auto = false, .bytes = bytes};
  return problem;
}

std::string Reach::text() const {
  return value_.is_auto ? kAutomatic : size_text(value_.bytes);
}

std::string Reach::rule() const {
  return kAutomatic + (" or " + Size{value_.bytes, 0, HistoryReach::kMost}.rule());
}

Shape Reach::shape() const {
  Shape shape = Size{value_.bytes, 0, HistoryReach::kMost}.shape();
  shape.words.emplace_back(kAutomatic);
  return shape;
}

std::string Span::read(std::string_view written) {
  const auto duration = parse_duration(written);
  if (!duration) return duration.problem;
  if (*duration < least_ || *duration > most_) return "is out of range";
  value_ = *duration;
  return {};
}

std::string Span::text() const {
  return duration_text(value_);
}

std::string Span::rule() const {
  return "a duration from " + duration_text(least_) + " to " + duration_text(most_) + " (units ms s m h)";
}

Shape Span::shape() const {
  const auto milliseconds = [](Duration duration) { return static_cast<std::uint64_t>(duration.count()); };
  return {
      Shape::Type::duration, milliseconds(least_), milliseconds(most_), {}, duration_pattern(least_, most_)};
}

std::string Choice::read(std::string_view written) {
  const auto word = std::find(words_.begin(), words_.end(), written);
  if (word == words_.end()) return "is unknown";
  store_(static_cast<std::size_t>(word - words_.begin()), *word);
  return {};
}

std::string Choice::rule() const {
  return one_of(words_);
}

std::string Text::read(std::string_view written) {
  auto problem = rule_.problem(written);
  if (problem.empty()) value_ = written;
  return problem;
}

std::string AddressText::read(std::string_view written) {
  const auto address = parse_address(written);
  if (address) value_ = *address;
  return address.problem;
}

Shape AddressText::shape() const {
  return {.pattern = "^([Uu][Nn][Ii][Xx]:/.+|[^/]+:[0-9]+)$"};
}

std::string UrlText::read(std::string_view written) {
  const auto url = parse_upstream_url(written);
  if (url) value_ = *url;
  return url.problem;
}

Shape UrlText::shape() const {
  return {.pattern = "^[Ww][Ss]([Ss]?://[^/?#@]+(/[^?#]*)?|\\+[Uu][Nn][Ii][Xx]:/.+)$"};
}

}  // namespace wsproxy::config
