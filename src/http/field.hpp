#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wsproxy::http {

/// One header line, name and value as they came (case kept, value trimmed of OWS).
struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};

/// Header lines in the order they came, duplicates kept. Linear on purpose: a few dozen at most.
class Fields {
 public:
  /// Makes room for `count` of them.
  void reserve(std::size_t count) { all_.reserve(count); }
  void add(std::string name, std::string value) { all_.push_back({std::move(name), std::move(value)}); }
  /// The first value of that name, whatever its case; empty when absent.
  std::string_view first(std::string_view name) const;
  /// All values of that name joined by ", " (RFC 9110 section 5.3).
  std::string joined(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  const std::vector<Field>& all() const { return all_; }

 private:
  std::vector<Field> all_;
};

}  // namespace wsproxy::http
