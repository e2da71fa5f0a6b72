#include "base/thread_signals.hpp"

namespace wsproxy::base {

void leave_signals_to_main_thread() {
  sigset_t others;
  sigfillset(&others);
  for (const int crash : kCrashSignals) sigdelset(&others, crash);
  pthread_sigmask(SIG_BLOCK, &others, nullptr);
}

}  // namespace wsproxy::base
