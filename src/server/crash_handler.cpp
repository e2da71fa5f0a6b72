#include "server/crash_handler.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <exception>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <typeinfo>
#include <ucontext.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "server/crash_line.hpp"
#include "telemetry/program_images.hpp"

namespace wsproxy::server {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif
#else
constexpr bool kIsSanitized = false;
#endif

constexpr std::size_t kStackBytes = std::size_t{64} << 10;
constexpr std::size_t kGuardBytes = std::size_t{64} << 10;  // a page, however large
constexpr std::size_t kMostFrames = 64;
constexpr std::size_t kOwnFrames = 8;  // of the handler and of the signal, at most
constexpr int kStderrPatience = 1000;  // milliseconds
constexpr unsigned kPatience = 5;      // seconds, for all of it

struct FatalSignal {
  int number;
  const char* name;
};
constexpr std::array<FatalSignal, 5> kFatal{
    {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGILL, "SIGILL"}, {SIGFPE, "SIGFPE"}, {SIGABRT, "SIGABRT"}}};

/// All that the handler may look at and write to. Global, since a signal has no other way to hand anything
/// over; written before the handler is installed and by the one thread that crashes.
struct Global {
  CrashFacts facts;
  std::array<char, 64> file;
  int directory;
  int spare;  // given up for the file, when the process is out of descriptors
  std::atomic<const char*> reason;
  std::atomic<pid_t> thread;  // that crashes; 0: none
  std::uint64_t instruction;
  std::atomic<bool> is_written;
  std::array<void*, kMostFrames + kOwnFrames> frames;
  CrashText text;
};
constinit Global global{};

template <std::size_t size>
void copy(std::array<char, size>& to, const std::string& from) {
  const std::size_t count = std::min(from.size(), size - 1);
  std::memcpy(to.data(), from.data(), count);
  to[count] = '\0';
}

const char* signal_name(int number) {
  for (const FatalSignal& one : kFatal) {
    if (one.number == number) return one.name;
  }
  return "";
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count <= 0 && errno != EINTR) return;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void write_file(std::string_view text) {
  if (global.directory < 0) return;
  ::close(global.spare);
  const int file = ::openat(global.directory, global.file.data(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return;
  write_all(file, text);
  ::close(file);
}

/// `frames`: where it happened, and who has called that.
void write_report(std::span<void* const> frames) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto since = std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
  ::prctl(PR_GET_NAME, global.facts.thread.data());
  CrashText& out = global.text;
  out = {};
  write_crash_line(out, global.facts, std::chrono::system_clock::time_point{since}, frames);
  global.is_written = true;
  write_file(out.text());
  // A pipe that nobody reads would hold a write for ever.
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ready, 1, kStderrPatience) == 1) write_all(STDERR_FILENO, out.text());
}

/// From the instruction that failed on, without the handler's own frames; that alone, if the way to it is
/// broken.
std::span<void* const> walk() {
  auto& frames = global.frames;
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  const auto all = std::span{frames}.first(static_cast<std::size_t>(std::max(count, 0)));
  auto* const instruction = reinterpret_cast<void*>(global.instruction);  // NOLINT(performance-no-int-to-ptr)
  const auto first = std::ranges::find(all, instruction);
  if (first != all.end()) return all.subspan(static_cast<std::size_t>(first - all.begin()));
  frames[0] = instruction;
  return std::span{frames}.first(1);
}

void unblock(int number) {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
}

/// Process 1 of a container is spared by signals with their default action (pid_namespaces(7)): it has to end
/// itself, with the status that a shell would give.
[[noreturn]] void end_by(int number) {
  ::signal(number, SIG_DFL);
  unblock(number);
  ::raise(number);
  ::_exit(128 + number);
}

void on_alarm(int) {
  ::_exit(128 + global.facts.number);
}

/// Whatever hangs from now on, the process ends.
void limit_time() {
  ::signal(SIGALRM, on_alarm);
  unblock(SIGALRM);
  ::alarm(kPatience);
}

/// Another thread is about to end the process.
[[noreturn]] void wait_for_the_end() {
  for (;;) ::pause();
}

void note(int number, const siginfo_t& info, const ucontext_t& context) {
  global.facts.number = number;
  global.facts.signal = signal_name(number);
  global.facts.reason = global.reason;
  global.facts.thread_id = global.thread;
  global.facts.code = info.si_code;
  global.facts.address = reinterpret_cast<std::uint64_t>(info.si_addr);
#if defined(__x86_64__)
  global.instruction = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
  global.facts.stack = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
  global.instruction = context.uc_mcontext.pc;
  global.facts.stack = context.uc_mcontext.sp;
#else
  static_cast<void>(context);
#endif
}

void on_fatal_signal(int number, siginfo_t* info, void* context) {
  const pid_t self = ::gettid();
  pid_t other = 0;
  if (!global.thread.compare_exchange_strong(other, self)) {
    if (other != self) wait_for_the_end();
    // The handler has crashed: on a broken stack, most likely while it walked. What it knows is worth having.
    if (!global.is_written) {
      auto* instruction = reinterpret_cast<void*>(global.instruction);  // NOLINT(performance-no-int-to-ptr)
      write_report({&instruction, 1});
    }
    end_by(global.facts.number);
  }
  note(number, *info, *static_cast<const ucontext_t*>(context));
  limit_time();
  write_report(walk());
  if (info->si_code <= 0) end_by(number);  // sent by somebody, abort() too
  // The instruction fails again, so that a core dump is of it; a fault ends process 1 as well.
  ::signal(number, SIG_DFL);
}

/// Says of what type the exception is. What it says itself may quote anything.
[[noreturn]] void on_terminate() {
  if (const std::type_info* type = abi::__cxa_current_exception_type()) global.reason = type->name();
  std::abort();
}

void note_images() {
  for (const telemetry::ProgramImage& image : telemetry::program_images()) {
    if (global.facts.image_count == global.facts.images.size()) break;
    CrashImage& kept = global.facts.images[global.facts.image_count++];
    copy(kept.name, image.name);
    copy(kept.build_id, image.build_id);
    kept.base = image.base;
    kept.size = image.size;
  }
}

}  // namespace

bool catches_crashes() {
  return !kIsSanitized;
}

void catch_crashes(const std::string& version, int directory, const std::string& file) {
  if (kIsSanitized || global.facts.image_count > 0) return;
  copy(global.facts.version, version);
  copy(global.file, file);
  // Its own, for as long as the process lives.
  global.directory = directory < 0 ? -1 : ::fcntl(directory, F_DUPFD_CLOEXEC, 0);
  global.spare = directory < 0 ? -1 : ::fcntl(directory, F_DUPFD_CLOEXEC, 0);
  std::array<void*, 1> first{};
  ::backtrace(first.data(), 1);
  note_images();
  std::set_terminate(on_terminate);
  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  for (const FatalSignal& one : kFatal) ::sigaction(one.number, &action, nullptr);
}

CrashStack::CrashStack() {
  if (kIsSanitized) return;
  void* memory = ::mmap(nullptr, kGuardBytes + kStackBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  memory_ = memory;
  stack_t stack{};
  stack.ss_sp = static_cast<std::byte*>(memory) + kGuardBytes;
  stack.ss_size = kStackBytes;
  if (::mprotect(stack.ss_sp, kStackBytes, PROT_READ | PROT_WRITE) == 0) ::sigaltstack(&stack, nullptr);
}

CrashStack::~CrashStack() {
  if (memory_ == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, kGuardBytes + kStackBytes);
}

}  // namespace wsproxy::server
