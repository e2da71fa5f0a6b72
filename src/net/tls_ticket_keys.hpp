#pragma once

#include <array>
#include <chrono>
#include <mutex>

#include <openssl/evp.h>
#include <openssl/ssl.h>

namespace wsproxy::net {

/// The keys that session tickets are sealed with (RFC 5077 section 4, RFC 8446 section 4.6.1): made here,
/// kept in memory only, replaced every kLifetime, and good to open what they have sealed for one kLifetime
/// more, which is as long as a session may be resumed. So what a stolen key opens is bounded. Any thread; the
/// lock is taken for a handshake, never for a message.
class TlsTicketKeys {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kLifetime = std::chrono::hours{2};

  explicit TlsTicketKeys(Clock::time_point now = Clock::now());
  ~TlsTicketKeys();
  TlsTicketKeys(const TlsTicketKeys&) = delete;
  TlsTicketKeys& operator=(const TlsTicketKeys&) = delete;

  static constexpr std::size_t kNameBytes = 16;
  static constexpr std::size_t kIvBytes = 16;
  struct Key {
    std::array<unsigned char, kNameBytes> name;
    std::array<unsigned char, 32> cipher;  // AES-256-CBC
    std::array<unsigned char, 32> mac;     // HMAC-SHA256
  };
  enum class Age : std::uint8_t { unknown, current, previous };

  /// The key to seal with.
  Key current(Clock::time_point now);
  /// The key of that name, if it is still good.
  Age find(const unsigned char* name, Clock::time_point now, Key& found);

  /// Makes the context seal and open with these, which outlive it.
  void install(SSL_CTX* context);

 private:
  void rotate(Clock::time_point now);

  std::mutex mutex_;
  Key current_{};
  Key previous_{};
  bool has_previous_ = false;
  Clock::time_point made_;
};

}  // namespace wsproxy::net
