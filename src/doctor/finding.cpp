#include "doctor/finding.hpp"

#include <algorithm>

namespace wsproxy::doctor {

void Finding::add(std::string_view what, const Finding& other) {
  const bool is_well = other.status == Status::pass;
  if (!is_well || (status == Status::pass && !other.detail.empty())) {
    if (!is_well && status == Status::pass) detail.clear();  // good news is nothing beside bad
    if (!detail.empty()) detail += "; ";
    detail.append(what).append(other.detail.empty() ? "" : ": ").append(other.detail);
  }
  status = std::max(status, other.status);
}

}  // namespace wsproxy::doctor
