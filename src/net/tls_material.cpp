#include "net/tls_material.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace wsproxy::net {
namespace {

bool is_valid_now(const X509Ptr& one) {
  return X509_cmp_current_time(X509_get0_notBefore(one.get())) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(one.get())) > 0;
}

bool is_valid_now(const CrlPtr& one) {
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(one.get());
  return next == nullptr || X509_cmp_current_time(next) > 0;
}

bool is_good(const Credentials& one) {
  return is_valid_now(one.leaf);
}

/// A bundle may have authorities that are out of date.
bool is_good(const std::vector<X509Ptr>& authorities) {
  return std::ranges::any_of(authorities, [](const X509Ptr& one) { return is_valid_now(one); });
}

/// Clients of an authority whose list is overdue are refused.
bool is_good(const std::vector<CrlPtr>& revocations) {
  return std::ranges::all_of(revocations, [](const CrlPtr& one) { return is_valid_now(one); });
}

/// What was found, unless that is none, or worse than what there was.
template <class Object>
std::shared_ptr<const Object> better_of(std::optional<Object> found, std::shared_ptr<const Object> before) {
  if (!found || (before && !is_good(*found) && is_good(*before))) return before;
  return std::make_shared<const Object>(std::move(*found));
}

template <class Object>
std::optional<std::vector<Object>> unless_empty(std::vector<Object> found) {
  if (found.empty()) return std::nullopt;
  return found;
}

/// Reads one file after the other, beside what there was of each.
class Reader {
 public:
  Reader(const TlsMaterial* before, TlsProblems& problems) : problems_(problems) {
    if (before != nullptr) before_ = *before;
  }

  void credentials(const config::Certificate& files, const std::string& key) {
    const std::size_t position = found_.credentials.size();
    auto old = position < before_.credentials.size() ? before_.credentials[position] : nullptr;
    found_.credentials.push_back(better_of(read_credentials(files, key, problems_), std::move(old)));
    is_whole_ = is_whole_ && found_.credentials.back();
  }
  void authorities(const std::string& file, const std::string& key) {
    if (file.empty()) return;
    found_.authorities = better_of(unless_empty(read_authorities(file, key, problems_)), before_.authorities);
    is_whole_ = is_whole_ && found_.authorities;
  }
  void revocations(const std::string& file, const std::string& key) {
    if (file.empty()) return;
    found_.revocations = better_of(unless_empty(read_revocations(file, key, problems_)), before_.revocations);
    is_whole_ = is_whole_ && found_.revocations;
  }

  std::optional<TlsMaterial> take() {
    if (!is_whole_) return std::nullopt;
    return std::move(found_);
  }

 private:
  TlsMaterial before_;
  TlsMaterial found_;
  TlsProblems& problems_;
  bool is_whole_ = true;
};

}  // namespace

std::optional<TlsMaterial> read_material(const config::ListenerTls& settings, const std::string& key,
                                         const TlsMaterial* before, TlsProblems& problems) {
  Reader reader{before, problems};
  reader.credentials({settings.certificate, settings.private_key}, key);
  for (std::size_t i = 0; i < settings.additional.size(); ++i) {
    reader.credentials(settings.additional[i], fmt::format("{}.additional[{}]", key, i));
  }
  reader.authorities(settings.client_ca, key + ".client_ca");
  reader.revocations(settings.client_crl, key + ".client_crl");
  return reader.take();
}

std::optional<TlsMaterial> read_material(const config::UpstreamTls& settings, const std::string& key,
                                         const TlsMaterial* before, TlsProblems& problems) {
  Reader reader{before, problems};
  if (settings.verify) reader.authorities(settings.ca, key + ".ca");
  if (!settings.certificate.empty()) {
    reader.credentials({settings.certificate, settings.private_key}, key);
  }
  return reader.take();
}

}  // namespace wsproxy::net
