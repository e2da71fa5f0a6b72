#pragma once

#include <string>
#include <string_view>

namespace wsproxy::server {

/// A value for one answer, which nobody can guess: 128 random bits as base64. Throws std::runtime_error
/// when the system gives no randomness.
std::string page_nonce();

/// The status page (status_page.html): one HTML file that asks for nothing but `status` beside it. Its
/// script and its style carry the nonce.
std::string status_page(std::string_view nonce);

/// For the field Content-Security-Policy: only what carries the nonce runs, and only this origin is asked.
std::string content_security_policy(std::string_view nonce);

}  // namespace wsproxy::server
