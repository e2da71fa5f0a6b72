#include "server/side_access.hpp"

namespace wsproxy::server {

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
