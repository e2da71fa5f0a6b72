#pragma once

#include <chrono>

/// Linked into an executable, manual_date.cpp takes the place of the C library's time(), by which OpenSSL
/// tells whether certificates and sessions are still good.
namespace wsproxy::test {

/// While it lives, it is that much later than it is.
class LaterDate {
 public:
  explicit LaterDate(std::chrono::seconds by);
  ~LaterDate();
  LaterDate(const LaterDate&) = delete;
  LaterDate& operator=(const LaterDate&) = delete;
};

}  // namespace wsproxy::test
