#include "net/tls_names.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace wsproxy::net {
namespace {

using Certificates = std::vector<TlsNames::Certificate>;

/// `a.b.c` gives `*.b.c`; nothing for a name without a dot.
std::string wildcard_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string{} : "*" + std::string{name.substr(dot)};
}

void add_those_named(const Certificates& certificates, const std::string& name, TlsNames::Set& set) {
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const auto& one = certificates[i];
    const bool has_kind = std::ranges::any_of(
        set, [&](std::size_t other) { return certificates[other].key_type == one.key_type; });
    if (!has_kind && std::ranges::find(one.names, name) != one.names.end()) set.push_back(i);
  }
}

}  // namespace

TlsNames::TlsNames(const Certificates& certificates) {
  Set first{0};
  if (!certificates.front().names.empty()) {
    const std::string& name = certificates.front().names.front();
    add_those_named(certificates, name, first);
    add_those_named(certificates, wildcard_of(name), first);
  }
  sets_.push_back(std::move(first));
  for (const Certificate& certificate : certificates) {
    for (const std::string& name : certificate.names) {
      if (by_name_.contains(name)) continue;
      Set set;
      add_those_named(certificates, name, set);
      if (!name.starts_with("*.")) add_those_named(certificates, wildcard_of(name), set);
      by_name_.emplace(name, place_of(std::move(set)));
    }
  }
}

std::size_t TlsNames::find(std::string_view server_name) const {
  std::string name = base::to_lower(server_name);
  if (name.ends_with('.')) name.pop_back();
  if (name.starts_with('*')) return 0;  // no host's name
  auto found = by_name_.find(name);
  if (found == by_name_.end()) found = by_name_.find(wildcard_of(name));
  return found == by_name_.end() ? 0 : found->second;
}

std::size_t TlsNames::place_of(Set set) {
  const auto found = std::ranges::find(sets_, set);
  if (found != sets_.end()) return static_cast<std::size_t>(found - sets_.begin());
  sets_.push_back(std::move(set));
  return sets_.size() - 1;
}

}  // namespace wsproxy::net
