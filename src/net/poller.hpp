#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <span>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <sys/epoll.h>

#include "net/kept_memory.hpp"
#include "net/types.hpp"

namespace wsproxy::net {

/// Tells transports when they are ready. Each is registered once for its life (edge-triggered epoll), so
/// waiting costs no system call; Asio's async_wait makes an epoll_ctl for each. Asio in turn waits for this
/// epoll's own descriptor, once for all that happens in a turn. One worker's thread.
class Poller {
 public:
  using Events = std::uint32_t;  // EPOLLIN and so on

  /// One registered descriptor. Stays where it is in memory while it is registered.
  class Watch
      : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    virtual ~Watch() = default;
    /// What the kernel reports, or 0 for a call that call_soon() asked for. May end any watch, and the
    /// memory of this one must outlive the call. What it throws leaves the loop once all others are told.
    virtual void on_events(Events events) = 0;
    /// What call_alone() asked for; the same goes for it.
    virtual void on_turn_alone() {}
  };

  explicit Poller(IoContext& io);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  [[nodiscard]] error_code add(int descriptor, Watch& watch);
  /// No call comes after this one, with which the descriptor must be closed: that is what takes it out of the
  /// epoll, as nobody has a duplicate (epoll(7)).
  void remove(Watch& watch);
  /// on_events(0) in the loop's next turn, after what the others wait for.
  void call_soon(Watch& watch);
  /// on_turn_alone() for what takes long, in the order in which they asked; whoever else is ready by then
  /// comes before each. So no event waits longer than one such call takes.
  void call_alone(Watch& watch);
  /// Lets the loop end; when no watch is left.
  void stop();

 private:
  using Batch = std::array<epoll_event, 128>;

  void wait();
  void run_turn();
  /// Tells the watches of at most so many events; returns how many there were.
  std::size_t collect(std::size_t at_most);
  template <class Call>
  void guard(Call&& call);
  void rethrow();
  void run_soon();
  void post_alone();
  void run_alone();

  IoContext& io_;
  KeptMemory for_wait_;
  KeptMemory for_soon_;
  KeptMemory for_alone_;
  boost::asio::posix::basic_stream_descriptor<Executor> epoll_;
  Batch batch_{};
  std::span<epoll_event> reported_;  // of the batch, not yet told
  std::exception_ptr thrown_;        // by a watch, while the others are told
  using Line = boost::intrusive::list<Watch, boost::intrusive::constant_time_size<false>>;
  Line soon_;
  Line alone_;
  bool alone_is_posted_ = false;
};

}  // namespace wsproxy::net
