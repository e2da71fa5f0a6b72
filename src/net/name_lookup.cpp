#include "net/name_lookup.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <system_error>

#include "telemetry/thread_signals.hpp"

namespace wsproxy::net {

namespace {

/// A failure on this thread must not be the process's.
FoundAddresses look_up_or_fail(const std::string& name) {
  try {
    return look_up(name);
  } catch (const std::exception&) {
    return {asio::error::no_memory, {}};
  }
}

}  // namespace

/// Shared by who asks and the thread that looks up: either may be gone first.
class NameLookup::Request : public std::enable_shared_from_this<Request> {
 public:
  Request(IoContext& io, OnFound on_found) : io_(&io), on_found_(std::move(on_found)) {}

  /// From any thread. Whoever asks has a deadline for when there is no memory to tell him.
  void answer(const FoundAddresses& found) {
    const std::lock_guard lock{mutex_};  // the loop cannot end meanwhile
    if (io_ == nullptr) return;
    try {
      asio::post(*io_, [self = shared_from_this(), found] {
        if (const OnFound call = std::exchange(self->on_found_, nullptr)) call(found);
      });
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
    }
  }

  void cancel() {
    on_found_ = nullptr;
    const std::lock_guard lock{mutex_};
    io_ = nullptr;
  }

 private:
  std::mutex mutex_;
  IoContext* io_;
  OnFound on_found_;  // of the loop's thread
};

/// The names that are being looked up, and the threads that do it. Names come from the configuration, so
/// there are few of them; a thread that waits for a dead name server holds up no other name.
class NameLookup::Desk {
 public:
  void ask(const std::string& name, std::shared_ptr<Request> request) {
    const std::lock_guard lock{mutex_};
    std::vector<std::shared_ptr<Request>>& askers = askers_[name];
    askers.push_back(std::move(request));
    if (askers.size() > 1) return;
    try {
      names_.push_back(name);
    } catch (...) {
      askers_.erase(name);  // else the next one would wait for a lookup that nobody makes
      throw;
    }
    if (idle_ < names_.size() && threads_ < kMostThreads) add_thread();
    has_names_.notify_one();
  }

 private:
  static constexpr std::size_t kMostThreads = 16;

  void add_thread() {
    try {
      std::thread([this] { run(); }).detach();
      ++threads_;
    } catch (const std::exception&) {
      if (threads_ == 0) refuse_all();  // else one of the others will come to it
    }
  }

  void refuse_all() {
    names_.clear();
    for (const auto& [name, askers] : std::exchange(askers_, {})) {
      for (const auto& request : askers) request->answer({asio::error::host_not_found_try_again, {}});
    }
  }

  [[noreturn]] void run() {
    telemetry::leave_signals_to_main_thread();
    std::unique_lock lock{mutex_};
    for (;;) {
      ++idle_;
      has_names_.wait(lock, [this] { return !names_.empty(); });
      --idle_;
      const std::string name = std::move(names_.front());
      names_.pop_front();
      lock.unlock();
      const FoundAddresses found = look_up_or_fail(name);
      lock.lock();
      const auto asked = askers_.extract(name);
      lock.unlock();
      for (const auto& request : asked.mapped()) request->answer(found);
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable has_names_;
  std::deque<std::string> names_;  // nobody looks them up yet
  std::map<std::string, std::vector<std::shared_ptr<Request>>> askers_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
};

NameLookup::Desk& NameLookup::desk() {
  // Never destroyed: at the end of the process a thread may still be waiting for an answer.
  static Desk& desk = *new Desk;
  return desk;
}

NameLookup::NameLookup(IoContext& io, const std::string& name, OnFound on_found)
    : request_(std::make_shared<Request>(io, std::move(on_found))) {
  try {
    desk().ask(name, request_);
  } catch (...) {
    request_->cancel();  // a thread may have it already
    throw;
  }
}

NameLookup::~NameLookup() {
  request_->cancel();
}

}  // namespace wsproxy::net
