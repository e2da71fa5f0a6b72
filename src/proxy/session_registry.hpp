#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace wsproxy::proxy {

class Session;

/// Who is alive on one worker. A session enters when it starts and leaves when it closes; nobody has a
/// fixed place, so what holds places across events must look again.
class SessionRegistry {
 public:
  SessionRegistry() = default;
  SessionRegistry(const SessionRegistry&) = delete;
  SessionRegistry& operator=(const SessionRegistry&) = delete;
  ~SessionRegistry();

  /// Takes the memory that the next enter() needs.
  void make_room();
  void enter(Session& session) noexcept;
  /// The last one takes its place.
  void leave(Session& session) noexcept;
  std::size_t size() const { return sessions_.size(); }
  Session& at(std::size_t place) const { return *sessions_[place]; }

  /// Calls `visit(Session&)` for each, the last first; a session may leave during its visit.
  void for_each(const std::function<void(Session&)>& visit);

 private:
  std::vector<Session*> sessions_;
};

/// Where a session is in its registry; kept by the registry.
class RegistryPlace {
  friend class SessionRegistry;
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
  std::size_t index_ = kNowhere;
};

}  // namespace wsproxy::proxy
