#include "server/side_access.hpp"

#include <string>

#include <boost/asio/ip/address.hpp>

#include "base/ascii.hpp"

namespace wsproxy::server {

bool is_asked_by_address(std::string_view host) {
  if (host.empty()) return true;  // HTTP/1.0, which no browser speaks
  if (host.front() == '[') {      // RFC 3986 section 3.2.2
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  if (base::iequals(host, "localhost")) return true;
  boost::system::error_code is_name;
  boost::asio::ip::make_address(std::string{host}, is_name);
  return !is_name;
}

bool may_command(config::AdminDrain rule, const SideRequest& request, bool is_hook) {
  if (request.is_from_page) return false;
  switch (rule) {
    case config::AdminDrain::any:
      return true;
    case config::AdminDrain::hook:
      return request.is_local || (is_hook && request.method == SideMethod::get);
    case config::AdminDrain::local:
      break;
  }
  return request.is_local;
}

}  // namespace wsproxy::server
