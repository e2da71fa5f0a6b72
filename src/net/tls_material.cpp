#include "net/tls_material.hpp"

#include <utility>

#include <fmt/format.h>

namespace wsproxy::net {
namespace {

bool is_valid_now(const Credentials& one) {
  return X509_cmp_current_time(X509_get0_notBefore(one.leaf.get())) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(one.leaf.get())) > 0;
}

std::shared_ptr<const Credentials> read_or_keep(const config::Certificate& files, const std::string& key,
                                                std::shared_ptr<const Credentials> before,
                                                TlsProblems& problems) {
  auto found = read_credentials(files, key, problems);
  if (!found || (!is_valid_now(*found) && before && is_valid_now(*before))) return before;
  return std::make_shared<const Credentials>(std::move(*found));
}

template <class Object>
std::shared_ptr<const std::vector<Object>> found_or_kept(
    std::vector<Object> found, const std::shared_ptr<const std::vector<Object>>& before) {
  if (found.empty()) return before;
  return std::make_shared<const std::vector<Object>>(std::move(found));
}

}  // namespace

std::optional<TlsMaterial> read_material(const config::ListenerTls& settings, const std::string& key,
                                         const TlsMaterial* before, TlsProblems& problems) {
  const TlsMaterial nothing;
  const TlsMaterial& old = before != nullptr ? *before : nothing;
  TlsMaterial material;
  bool is_whole = true;
  const auto read = [&](const config::Certificate& files, const std::string& its_key) {
    const std::size_t position = material.credentials.size();
    auto kept = position < old.credentials.size() ? old.credentials[position] : nullptr;
    material.credentials.push_back(read_or_keep(files, its_key, std::move(kept), problems));
    is_whole = is_whole && material.credentials.back();
  };
  read({settings.certificate, settings.private_key}, key);
  for (std::size_t i = 0; i < settings.additional.size(); ++i) {
    read(settings.additional[i], fmt::format("{}.additional[{}]", key, i));
  }
  if (!settings.client_ca.empty()) {
    material.authorities =
        found_or_kept(read_authorities(settings.client_ca, key + ".client_ca", problems), old.authorities);
    is_whole = is_whole && material.authorities;
  }
  if (!settings.client_crl.empty()) {
    material.revocations =
        found_or_kept(read_revocations(settings.client_crl, key + ".client_crl", problems), old.revocations);
    is_whole = is_whole && material.revocations;
  }
  if (!is_whole) return std::nullopt;
  return material;
}

}  // namespace wsproxy::net
