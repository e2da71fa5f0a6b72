#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wsproxy::net {

/// Which of a listener's certificates a client gets for the name that it asks for (SNI, RFC 6066 section 3).
/// A client gets a set: one certificate of each kind of key, ECDSA and RSA say, of which its abilities
/// choose.
class TlsNames {
 public:
  struct Certificate {
    std::vector<std::string>
        names;  // DNS names in lower case; *. stands for one label (RFC 6125 section 6.4.3)
    int key_type;
  };
  using Set = std::vector<std::size_t>;  // positions of certificates, the first of a kind of key only

  /// At least one certificate. Among those that fit equally well the earlier one counts.
  explicit TlsNames(const std::vector<Certificate>& certificates);

  /// All there are, each once. The first is for clients that ask for no name, or for one that nobody has: the
  /// first certificate, and others of its first name.
  const std::vector<Set>& sets() const { return sets_; }
  /// The position of the set for this name.
  std::size_t find(std::string_view server_name) const;

 private:
  std::size_t place_of(Set set);

  std::vector<Set> sets_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace wsproxy::net
