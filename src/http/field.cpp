#include "http/field.hpp"

#include "base/ascii.hpp"

namespace wsproxy::http {
namespace {

bool is_named(const Field& field, std::string_view name) {
  return field.name.size() == name.size() && base::iequals(field.name, name);
}

}  // namespace

std::string_view Fields::first(std::string_view name) const {
  for (const Field& field : all_) {
    if (is_named(field, name)) return field.value;
  }
  return {};
}

std::string Fields::joined(std::string_view name) const {
  std::string result;
  bool any = false;
  for (const Field& field : all_) {
    if (!is_named(field, name)) continue;
    if (any) result += ", ";
    result += field.value;
    any = true;
  }
  return result;
}

std::size_t Fields::count(std::string_view name) const {
  std::size_t result = 0;
  for (const Field& field : all_) result += is_named(field, name) ? 1 : 0;
  return result;
}

}  // namespace wsproxy::http
