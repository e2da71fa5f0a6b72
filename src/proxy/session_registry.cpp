#include "proxy/session_registry.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "proxy/session.hpp"

namespace wsproxy::proxy {

namespace {
constexpr std::size_t kFirstRoom = 64;
}

SessionRegistry::~SessionRegistry() {
  assert(sessions_.empty());
}

void SessionRegistry::make_room() {
  if (sessions_.size() == sessions_.capacity()) sessions_.reserve(std::max(kFirstRoom, 2 * sessions_.size()));
}

void SessionRegistry::enter(Session& session) noexcept {
  session.index_ = sessions_.size();
  sessions_.push_back(&session);
}

void SessionRegistry::leave(Session& session) noexcept {
  const std::size_t place = std::exchange(session.index_, RegistryPlace::kNowhere);
  if (place == RegistryPlace::kNowhere) return;
  sessions_[place] = sessions_.back();
  sessions_[place]->index_ = place;
  sessions_.pop_back();
  session.index_ = RegistryPlace::kNowhere;  // it may have been the last one
}

void SessionRegistry::for_each(const std::function<void(Session&)>& visit) {
  // Backwards: who takes the place of one that leaves has been visited.
  for (std::size_t place = sessions_.size(); place > 0;) visit(*sessions_[--place]);
}

}  // namespace wsproxy::proxy
