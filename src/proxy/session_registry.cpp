#include "proxy/session_registry.hpp"

#include <cassert>

#include "proxy/session.hpp"

namespace wsproxy::proxy {

SessionRegistry::~SessionRegistry() {
  assert(size_ == 0);
}

void SessionRegistry::enter(Session& session) {
  sessions_.push_back(session);
  ++size_;
}

void SessionRegistry::for_each(const std::function<void(Session&)>& visit) {
  for (auto it = sessions_.begin(); it != sessions_.end();) visit(static_cast<Session&>(*it++));
}

void SessionRegistry::leave(Session& session) {
  if (!session.RegistryHook::is_linked()) return;
  session.RegistryHook::unlink();
  --size_;
}

}  // namespace wsproxy::proxy
