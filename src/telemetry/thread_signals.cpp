#include "telemetry/thread_signals.hpp"

namespace wsproxy::telemetry {

void leave_signals_to_main_thread() {
  sigset_t others;
  sigfillset(&others);
  for (const int crash : kCrashSignals) sigdelset(&others, crash);
  pthread_sigmask(SIG_BLOCK, &others, nullptr);
}

}  // namespace wsproxy::telemetry
