#pragma once

#include <string>
#include <string_view>

namespace wsproxy::http {

/// Whether `text` is a host with or without a port (RFC 9110 section 7.2): a name, an IPv4 address or
/// an IPv6 address in brackets. No user information.
bool is_authority(std::string_view text);

/// Whether a request of that method may have that target (RFC 9112 section 3.2): a path from the
/// root, a whole http or ws URL, host:port for CONNECT, * for OPTIONS.
bool target_suits(std::string_view method, std::string_view target);

/// What an app has to see of a target: absolute URLs are taken apart (RFC 9112 section 3.2.2).
struct TargetParts {
  std::string_view authority;  // empty unless the target was a whole URL
  std::string_view path;       // with query; empty when the URL had none
};
TargetParts split_target(std::string_view target);

/// The target that goes on to the app: a path behind `base_path`, or * (RFC 9112 sections 3.2.1 and
/// 3.2.4).
std::string target_for_app(std::string_view method, std::string_view target, std::string_view base_path);

}  // namespace wsproxy::http
