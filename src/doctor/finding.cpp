#include "doctor/finding.hpp"

#include <algorithm>

namespace wsproxy::doctor {

std::string shortened(std::string text, std::size_t most) {
  constexpr std::string_view kMore = "...";
  if (text.size() <= most) return text;
  std::size_t size = most - kMore.size();
  const auto is_inside = [&] { return (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80; };
  while (size != 0 && is_inside()) --size;  // of a character of UTF-8
  text.resize(size);
  return text.append(kMore);
}

void Finding::add(std::string_view what, const Finding& other) {
  const bool is_well = other.status == Status::pass;
  if (!is_well || (status == Status::pass && !other.detail.empty())) {
    if (!is_well && status == Status::pass) detail.clear();  // good news is nothing beside bad
    if (!detail.empty()) detail += "; ";
    detail.append(what).append(other.detail.empty() ? "" : ": ").append(other.detail);
    detail = shortened(std::move(detail), kMostInAll);
  }
  status = std::max(status, other.status);
}

}  // namespace wsproxy::doctor
