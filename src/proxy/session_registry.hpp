#pragma once

#include <cstddef>
#include <functional>

#include <boost/intrusive/list.hpp>

namespace wsproxy::proxy {

class Session;

using RegistryHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Who is alive on one worker. A session enters when it starts and leaves when it closes.
class SessionRegistry {
 public:
  SessionRegistry() = default;
  SessionRegistry(const SessionRegistry&) = delete;
  SessionRegistry& operator=(const SessionRegistry&) = delete;
  ~SessionRegistry();

  void enter(Session& session);
  void leave(Session& session);
  std::size_t size() const { return size_; }

  /// Calls `visit(Session&)` for each; a session may leave during its visit.
  void for_each(const std::function<void(Session&)>& visit);

 private:
  boost::intrusive::list<RegistryHook, boost::intrusive::constant_time_size<false>> sessions_;
  std::size_t size_ = 0;
};

}  // namespace wsproxy::proxy
