#include "http/field.hpp"

#include "base/ascii.hpp"

namespace wsproxy::http {

std::string_view Fields::first(std::string_view name) const {
  for (const Field& field : all_) {
    if (base::iequals(field.name, name)) return field.value;
  }
  return {};
}

std::string Fields::joined(std::string_view name) const {
  std::string result;
  bool any = false;
  for (const Field& field : all_) {
    if (!base::iequals(field.name, name)) continue;
    if (any) result += ", ";
    result += field.value;
    any = true;
  }
  return result;
}

std::size_t Fields::count(std::string_view name) const {
  std::size_t result = 0;
  for (const Field& field : all_) result += base::iequals(field.name, name) ? 1 : 0;
  return result;
}

}  // namespace wsproxy::http
