#include "telemetry/thread_signals.hpp"

#include <algorithm>
#include <thread>

#include <catch2/catch.hpp>

namespace wsproxy::telemetry {
namespace {

TEST_CASE("A thread that leaves signals to the main thread keeps those of its own faults") {
  std::thread{[] {
    leave_signals_to_main_thread();
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGALRM, SIGCHLD}) {
      CAPTURE(one);
      CHECK(sigismember(&blocked, one) == 1);
    }
    for (const int one : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
      CAPTURE(one);
      CHECK(sigismember(&blocked, one) == 0);
    }
  }}.join();
}

}  // namespace
}  // namespace wsproxy::telemetry
