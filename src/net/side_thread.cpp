#include "net/side_thread.hpp"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <sys/resource.h>

#include "telemetry/thread_signals.hpp"

namespace wsproxy::net {

namespace {
constexpr int kNiceness = 10;
}  // namespace

SideThread::SideThread(IoContext& io)
    : io_(io), stays_(line_.get_executor()), thread_([this] {
        telemetry::leave_signals_to_main_thread();
        ::setpriority(PRIO_PROCESS, 0, kNiceness);  // of this thread: on Linux 0 stands for the caller
        run_line();
      }) {
}

void SideThread::run_line() {
  for (;;) {
    try {
      line_.run();
      return;
    } catch (const std::exception&) {
      // No memory to hand one result back: whoever waits for it has a deadline, and others will come.
    }
  }
}

SideThread::~SideThread() {
  line_.stop();
  thread_.join();
}

void SideThread::run(std::function<void()> work, std::function<void()> done) {
  boost::asio::post(line_, [this, work = std::move(work), done = std::move(done)]() mutable {
    work();
    boost::asio::post(io_, std::move(done));
  });
}

}  // namespace wsproxy::net
