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
#include <utility>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "server/crash_text.hpp"
#include "telemetry/program_images.hpp"
#include "telemetry/utc_time.hpp"

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
constexpr std::size_t kRoomForImages = 1200;
constexpr std::size_t kRoomForImage = 240;
constexpr std::uint64_t kNextToNull = std::uint64_t{1} << 20;
constexpr std::uint64_t kNextToStack = std::uint64_t{1} << 20;
constexpr int kStderrPatience = 1000;  // milliseconds
constexpr unsigned kPatience = 5;      // seconds, for all of it

struct FatalSignal {
  int number;
  const char* name;
};
constexpr std::array<FatalSignal, 5> kFatal{
    {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGILL, "SIGILL"}, {SIGFPE, "SIGFPE"}, {SIGABRT, "SIGABRT"}}};

struct Image {
  std::array<char, 48> name;
  std::array<char, 65> build_id;
  std::uint64_t base;
  std::uint64_t size;
};

/// All that the handler may look at. Global, since a signal has no other way to hand anything over; written
/// before the handler is installed and by the one thread that crashes.
struct Facts {
  std::array<char, 32> version;
  std::array<char, 64> file;
  std::array<Image, 48> images;
  std::size_t image_count;
  int directory;
  int spare;  // given up for the file, when the process is out of descriptors
  std::atomic<const char*> reason;
  std::atomic<pid_t> thread;  // that crashes; 0: none
  int number;
  int code;
  std::uint64_t address;
  std::uint64_t instruction;
  std::uint64_t stack;
  bool is_written;
  std::array<void*, kMostFrames + kOwnFrames> frames;
  CrashText text;
};
constinit Facts facts{};

template <std::size_t size>
void copy(std::array<char, size>& to, const std::string& from) {
  const std::size_t count = std::min(from.size(), size - 1);
  std::memcpy(to.data(), from.data(), count);
  to[count] = '\0';
}

const Image* image_at(std::uint64_t address) {
  for (const Image& image : std::span{facts.images}.first(facts.image_count)) {
    if (address >= image.base && address - image.base < image.size) return &image;
  }
  return nullptr;
}

const char* signal_name(int number) {
  for (const FatalSignal& one : kFatal) {
    if (one.number == number) return one.name;
  }
  return "";
}

void put_address(CrashText& out) {
  const bool is_on_stack =
      facts.address + kNextToStack > facts.stack && facts.address < facts.stack + kNextToStack;
  if (facts.code <= 0 || facts.number == SIGABRT) {
    out.put("none");
  } else if (facts.address < kNextToNull || image_at(facts.address) != nullptr) {
    out.hexadecimal(facts.address);
  } else {
    out.put(is_on_stack ? "the stack" : "elsewhere");
  }
}

void put_frame(CrashText& out, std::uint64_t address) {
  out.put("\"");
  if (const Image* image = image_at(address)) {
    out.name(image->name.data());
    out.put("+");
    out.hexadecimal(address - image->base);
  } else {
    out.put("?");
  }
  out.put("\"");
}

void put_images(CrashText& out, std::span<void* const> frames) {
  const char* separator = "";
  for (const Image& image : std::span{facts.images}.first(facts.image_count)) {
    const bool is_used = &image == facts.images.data() || std::ranges::any_of(frames, [&image](void* frame) {
      return image_at(reinterpret_cast<std::uint64_t>(frame)) == &image;
    });
    if (!is_used || out.left() < kRoomForImage) continue;
    out.put(std::exchange(separator, ","));
    out.put(R"({"name":")");
    out.name(image.name.data());
    out.put(R"(","base":")");
    out.hexadecimal(image.base);
    out.put(R"(","size":")");
    out.hexadecimal(image.size);
    out.put(R"(","build_id":")");
    out.name(image.build_id.data());
    out.put("\"}");
  }
}

void put_what(CrashText& out) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto since = std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
  const auto time = telemetry::utc_text(std::chrono::system_clock::time_point{since});
  out.put(R"({"time":")");
  out.put({time.data(), time.size()});
  out.put(R"(","level":"error","message":"crashed","signal":")");
  out.put(signal_name(facts.number));
  out.put(R"(","number":)");
  out.decimal(facts.number);
  out.put(R"(,"code":)");
  out.decimal(facts.code);
  out.put(R"(,"address":")");
  put_address(out);
  if (const char* reason = facts.reason) {
    out.put(R"(","reason":"unhandled exception )");
    out.name(std::string_view{reason}.substr(0, 200));
  }
}

void put_who(CrashText& out) {
  std::array<char, 16> thread{};
  ::prctl(PR_GET_NAME, thread.data());
  out.put(R"(","thread":")");
  out.name(thread.data());
  out.put(R"(","thread_id":)");
  out.decimal(facts.thread.load());
  out.put(R"(,"version":")");
  out.name(facts.version.data());
  out.put(R"(","build_id":")");
  out.name(facts.images[0].build_id.data());
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count <= 0 && errno != EINTR) return;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void write_file(std::string_view text) {
  if (facts.directory < 0) return;
  ::close(facts.spare);
  const int file = ::openat(facts.directory, facts.file.data(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return;
  write_all(file, text);
  ::close(file);
}

/// `frames`: where it happened, and who has called that.
void write_report(std::span<void* const> frames) {
  CrashText& out = facts.text;
  out = {};
  put_what(out);
  put_who(out);
  out.put(R"(","backtrace":[)");
  const char* separator = "";
  for (void* const frame : frames) {
    if (out.left() < kRoomForImages) break;
    out.put(std::exchange(separator, ","));
    put_frame(out, reinterpret_cast<std::uint64_t>(frame));
  }
  out.put(R"(],"images":[)");
  put_images(out, frames);
  out.put("]}\n");
  facts.is_written = true;
  write_file(out.text());
  // A pipe that nobody reads would hold a write for ever.
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ready, 1, kStderrPatience) == 1) write_all(STDERR_FILENO, out.text());
}

/// From the instruction that failed on, without the handler's own frames; that alone, if the way to it is
/// broken.
std::span<void* const> walk() {
  auto& frames = facts.frames;
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  const auto all = std::span{frames}.first(static_cast<std::size_t>(std::max(count, 0)));
  auto* const instruction = reinterpret_cast<void*>(facts.instruction);  // NOLINT(performance-no-int-to-ptr)
  const auto first = std::ranges::find(all, instruction);
  if (first != all.end()) return all.subspan(static_cast<std::size_t>(first - all.begin()));
  frames[0] = instruction;
  return std::span{frames}.first(1);
}

[[noreturn]] void end_by(int number) {
  ::signal(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  ::raise(number);
  ::_exit(128 + number);
}

void note(int number, const siginfo_t& info, const ucontext_t& context) {
  facts.number = number;
  facts.code = info.si_code;
  facts.address = reinterpret_cast<std::uint64_t>(info.si_addr);
#if defined(__x86_64__)
  facts.instruction = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
  facts.stack = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
  facts.instruction = context.uc_mcontext.pc;
  facts.stack = context.uc_mcontext.sp;
#else
  static_cast<void>(context);
#endif
}

void on_fatal_signal(int number, siginfo_t* info, void* context) {
  const pid_t self = ::gettid();
  pid_t other = 0;
  if (!facts.thread.compare_exchange_strong(other, self)) {
    // Another thread is about to end the process.
    while (other != self) ::pause();
    // The handler has crashed: on a broken stack, most likely while it walked. What it knows is worth having.
    if (!facts.is_written) {
      auto* instruction = reinterpret_cast<void*>(facts.instruction);  // NOLINT(performance-no-int-to-ptr)
      write_report({&instruction, 1});
    }
    end_by(facts.number);
  }
  // Whatever hangs here, the process ends.
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(kPatience);
  note(number, *info, *static_cast<const ucontext_t*>(context));
  write_report(walk());
  end_by(number);
}

/// Says of what type the exception is. What it says itself may quote anything.
[[noreturn]] void on_terminate() {
  if (const std::type_info* type = abi::__cxa_current_exception_type()) facts.reason = type->name();
  std::abort();
}

void note_images() {
  for (const telemetry::ProgramImage& image : telemetry::program_images()) {
    if (facts.image_count == facts.images.size()) break;
    Image& kept = facts.images[facts.image_count++];
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
  if (kIsSanitized || facts.image_count > 0) return;
  copy(facts.version, version);
  copy(facts.file, file);
  // Its own, for as long as the process lives.
  facts.directory = directory < 0 ? -1 : ::fcntl(directory, F_DUPFD_CLOEXEC, 0);
  facts.spare = directory < 0 ? -1 : ::fcntl(directory, F_DUPFD_CLOEXEC, 0);
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
