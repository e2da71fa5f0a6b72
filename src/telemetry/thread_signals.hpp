#pragma once

#include <array>
#include <csignal>

namespace wsproxy::telemetry {

/// What a fault of a thread's own raises. Blocked there, the kernel ends the process without its handler.
inline constexpr std::array kCrashSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

/// Blocks all signals but these on the calling thread and on those that it starts: SIGTERM and its like are
/// for the main thread, which knows what to do. To be called first by every other one.
void leave_signals_to_main_thread();

}  // namespace wsproxy::telemetry
