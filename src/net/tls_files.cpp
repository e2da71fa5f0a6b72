#include "net/tls_files.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/ascii.hpp"
#include "config/file.hpp"

namespace wsproxy::net {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 20;

class Reader {
 public:
  Reader(std::string key, TlsProblems& problems) : key_(std::move(key)), problems_(problems) {}

  void report(TlsProblem::Kind kind, std::string text) { problems_.push_back({kind, key_, std::move(text)}); }

  /// The whole file as OpenSSL reads it; nothing when it cannot be read.
  BioPtr open(const std::string& file) {
    auto text = config::read_file(file, kMostBytes);
    if (!text) {
      report(TlsProblem::Kind::broken, fmt::format("\"{}\" {}", file, text.problem));
      return nullptr;
    }
    BioPtr bio{BIO_new(BIO_s_secmem())};
    BIO_write(bio.get(), text.value->data(), static_cast<int>(text.value->size()));
    OPENSSL_cleanse(text.value->data(), text.value->size());
    return bio;
  }

  /// All objects of one kind; none when one of them is malformed.
  template <class Pointer, auto read>
  std::vector<Pointer> read_all(const std::string& file, std::string_view kind) {
    std::vector<Pointer> found;
    const BioPtr bio = open(file);
    if (!bio) return found;
    ERR_clear_error();
    while (auto* one = read(bio.get(), nullptr, nullptr, nullptr)) found.emplace_back(one);
    const unsigned long end = ERR_peek_last_error();
    if (ERR_GET_REASON(end) != PEM_R_NO_START_LINE) {
      report(TlsProblem::Kind::broken,
             fmt::format("\"{}\" has a malformed {}: {}", file, kind, take_openssl_error()));
      return {};
    }
    ERR_clear_error();
    if (found.empty()) report(TlsProblem::Kind::broken, fmt::format("\"{}\" has no {} in PEM", file, kind));
    return found;
  }

 private:
  std::string key_;
  TlsProblems& problems_;
};

SystemTime time_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &fields) != 1) return SystemTime::max();
  return std::chrono::system_clock::from_time_t(::timegm(&fields));
}

std::string in_words(const ASN1_TIME* time) {
  std::tm fields{};
  ASN1_TIME_to_tm(time, &fields);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", fields.tm_year + 1900, fields.tm_mon + 1,
                     fields.tm_mday, fields.tm_hour, fields.tm_min);
}

void check_time(const std::string& file, const X509& certificate, Reader& reader) {
  const ASN1_TIME* begin = X509_get0_notBefore(&certificate);
  const ASN1_TIME* end = X509_get0_notAfter(&certificate);
  if (X509_cmp_current_time(end) < 0) {
    reader.report(TlsProblem::Kind::expired, fmt::format("\"{}\" expired on {}", file, in_words(end)));
  } else if (X509_cmp_current_time(begin) > 0) {
    reader.report(TlsProblem::Kind::expired,
                  fmt::format("\"{}\" is not valid before {}", file, in_words(begin)));
  }
}

std::vector<std::string> dns_names(const X509& certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, Releasing<GENERAL_NAMES_free>> all{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    const ASN1_STRING* text = name->d.dNSName;
    const std::string_view written{reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                   static_cast<std::size_t>(ASN1_STRING_length(text))};
    names.push_back(base::to_lower(written));
  }
  return names;
}

/// Without it OpenSSL would ask on the terminal.
int refuse_passphrase(char*, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

KeyPtr read_key(const std::string& file, const std::string& key, TlsProblems& problems) {
  Reader reader{key, problems};
  const BioPtr bio = reader.open(file);
  if (!bio) return nullptr;
  ERR_clear_error();
  bool is_encrypted = false;
  KeyPtr found{PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &is_encrypted)};
  if (is_encrypted) {
    reader.report(TlsProblem::Kind::broken,
                  fmt::format("\"{}\" is encrypted; a key without a passphrase is needed", file));
  } else if (!found) {
    reader.report(TlsProblem::Kind::broken, fmt::format("\"{}\" has no private key in PEM", file));
  }
  ERR_clear_error();
  struct stat status {};
  if (found && ::stat(file.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
    reader.report(
        TlsProblem::Kind::exposed,
        fmt::format("\"{}\" can be read by every user (mode {:04o}); 0640 or 0600 keeps it to its owner",
                    file, status.st_mode & 07777U));
  }
  return found;
}

}  // namespace

std::optional<Credentials> read_credentials(const config::Certificate& files, const std::string& key,
                                            TlsProblems& problems) {
  Reader reader{key + ".certificate", problems};
  auto certificates = reader.read_all<X509Ptr, PEM_read_bio_X509>(files.certificate, "certificate");
  KeyPtr private_key = read_key(files.private_key, key + ".private_key", problems);
  if (certificates.empty() || !private_key) return std::nullopt;
  Credentials result;
  result.file = files.certificate;
  result.leaf = std::move(certificates.front());
  for (std::size_t i = 1; i < certificates.size(); ++i) result.chain.push_back(std::move(certificates[i]));
  result.key = std::move(private_key);
  result.names = dns_names(*result.leaf);
  result.not_after = time_of(X509_get0_notAfter(result.leaf.get()));
  check_time(files.certificate, *result.leaf, reader);
  if (X509_check_private_key(result.leaf.get(), result.key.get()) != 1) {
    ERR_clear_error();
    Reader{key + ".private_key", problems}.report(
        TlsProblem::Kind::broken,
        fmt::format("\"{}\" is not the key of \"{}\"", files.private_key, files.certificate));
    return std::nullopt;
  }
  return result;
}

std::vector<X509Ptr> read_authorities(const std::string& file, const std::string& key,
                                      TlsProblems& problems) {
  Reader reader{key, problems};
  auto found = reader.read_all<X509Ptr, PEM_read_bio_X509>(file, "certificate");
  // A bundle may well have one that is out of date.
  const auto is_over = [](const X509Ptr& one) {
    return X509_cmp_current_time(X509_get0_notAfter(one.get())) < 0;
  };
  if (!found.empty() && std::ranges::all_of(found, is_over)) check_time(file, *found.front(), reader);
  return found;
}

std::vector<CrlPtr> read_revocations(const std::string& file, const std::string& key, TlsProblems& problems) {
  Reader reader{key, problems};
  auto found = reader.read_all<CrlPtr, PEM_read_bio_X509_CRL>(file, "revocation list");
  for (const CrlPtr& one : found) {
    const ASN1_TIME* next = X509_CRL_get0_nextUpdate(one.get());
    if (next != nullptr && X509_cmp_current_time(next) < 0) {
      reader.report(TlsProblem::Kind::expired,
                    fmt::format("\"{}\" has a list whose next update was due on {}", file, in_words(next)));
    }
  }
  return found;
}

}  // namespace wsproxy::net
