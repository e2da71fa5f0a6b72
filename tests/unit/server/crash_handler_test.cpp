#include "server/crash_handler.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sched.h>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <sys/wait.h>

#include "server/crash_directory.hpp"
#include "telemetry/crash_report.hpp"

namespace wsproxy::server {
namespace {

struct Outcome {
  int status = 0;
  std::string said;  // on stderr
  std::optional<telemetry::CrashReport> report;
  int files = 0;
};

/// A process that catches crashes does that, and this one looks at what is left. `is_heard`: it leaves its
/// stderr as it is.
Outcome outcome_of(const std::function<void()>& deed, bool is_heard = true) {
  std::string folder = "/tmp/wsproxy-crash-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const CrashDirectory crashes{folder};
    const CrashStack stack;
    catch_crashes("1.2.3", crashes.number(), "crash-1.json");
    deed();
    ::_exit(0);
  }
  ::close(ends[1]);
  Outcome outcome;
  std::array<char, 8192> bytes{};
  for (ssize_t size = 0; (size = ::read(ends[0], bytes.data(), bytes.size())) > 0;) {
    outcome.said.append(bytes.data(), static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  REQUIRE(::waitpid(child, &outcome.status, 0) == child);
  for (const auto& file : std::filesystem::directory_iterator{folder}) {
    ++outcome.files;
    std::ostringstream text;
    text << std::ifstream{file.path()}.rdbuf();
    outcome.report = telemetry::parse_crash_report(text.str());
    if (is_heard) CHECK(outcome.said.find(text.str()) != std::string::npos);
  }
  std::filesystem::remove_all(folder);
  return outcome;
}

[[gnu::noinline]] int deep(volatile int* from) {
  std::array<volatile char, 4096> room{};
  if (*from < 0) return 0;
  room[0] = static_cast<char>(*from);
  volatile int next = *from + 1;
  return deep(&next) + room[0];
}

void write_to(std::uintptr_t address) {
  *reinterpret_cast<volatile int*>(address) = 1;  // NOLINT(performance-no-int-to-ptr)
}

/// Breaks the chain of callers, and then what is here.
void lose_the_way() {
#if defined(__x86_64__)
  asm volatile("mov $0x4141414141, %%rsp\n mov %%rsp, %%rbp\n movl $1, 0" ::: "memory");
#else
  ::raise(SIGSEGV);
#endif
}

constexpr int kBySignal = 200;  // and the signal's number

/// As the first process of a container does it, whose exit status is passed on, or kBySignal + the signal.
/// Nothing but 77 where a user may have no such container.
void as_process_one(const std::function<void()>& deed) {
  if (::unshare((::geteuid() == 0 ? 0 : CLONE_NEWUSER) | CLONE_NEWPID) != 0) ::_exit(77);
  const pid_t child = ::fork();
  if (child == 0) {
    deed();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::_exit(WIFSIGNALED(status) ? kBySignal + WTERMSIG(status) : WEXITSTATUS(status));
}

}  // namespace

TEST_CASE("a bad pointer is told with where it pointed, near null only") {
  if (!catches_crashes()) return;
  const Outcome null = outcome_of([] { write_to(0x18); });
  CHECK(WIFSIGNALED(null.status));
  CHECK(WTERMSIG(null.status) == SIGSEGV);
  REQUIRE(null.report);
  CHECK(null.report->signal == "SIGSEGV");
  CHECK(null.report->address == "0x18");
  CHECK(null.report->version == "1.2.3");
  CHECK(null.report->build_id == telemetry::program_build_id());
  CHECK(null.report->frames.size() > 3);
  CHECK(null.report->frames.front().image == "unit_server");
  // What was read into a pointer may be a client's.
  const Outcome wild = outcome_of([] { write_to(0x414243444546); });
  REQUIRE(wild.report);
  CHECK(wild.report->address == "elsewhere");
  CHECK(wild.said.find("4142434445") == std::string::npos);
}

TEST_CASE("an overflow of a stack is told, on the main thread and on another one") {
  if (!catches_crashes()) return;
  const auto overflow = [] {
    volatile int start = 0;
    deep(&start);
  };
  const Outcome main = outcome_of(overflow);
  CHECK(WTERMSIG(main.status) == SIGSEGV);
  REQUIRE(main.report);
  CHECK(main.report->address == "the stack");
  CHECK(main.report->frames.size() > 10);
  const Outcome other = outcome_of([&overflow] {
    std::thread{[&overflow] {
      const CrashStack stack;
      overflow();
    }}.join();
  });
  CHECK(WTERMSIG(other.status) == SIGSEGV);
  REQUIRE(other.report);
  CHECK(other.report->address == "the stack");
}

TEST_CASE("an exception that nobody caught is told by its type, without what it says") {
  if (!catches_crashes()) return;
  const Outcome outcome = outcome_of([] { std::thread{[] { throw std::runtime_error{"hunter2"}; }}.join(); });
  CHECK(WTERMSIG(outcome.status) == SIGABRT);
  REQUIRE(outcome.report);
  CHECK(outcome.report->signal == "SIGABRT");
  CHECK(outcome.report->reason == "unhandled exception St13runtime_error");
  CHECK(outcome.said.find("hunter2") == std::string::npos);
}

TEST_CASE("a stack that is destroyed is told all the same, without what it was made of") {
  if (!catches_crashes()) return;
  const Outcome outcome = outcome_of(lose_the_way);
  CHECK(WTERMSIG(outcome.status) == SIGSEGV);
  REQUIRE(outcome.report);
  CHECK_FALSE(outcome.report->frames.empty());
  CHECK(outcome.said.find("41414141") == std::string::npos);
}

TEST_CASE("of threads that crash at once one is told") {
  if (!catches_crashes()) return;
  const Outcome outcome = outcome_of([] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([] { write_to(0); });
    for (auto& thread : threads) thread.join();
  });
  CHECK(WTERMSIG(outcome.status) == SIGSEGV);
  CHECK(outcome.files == 1);
  CHECK(std::count(outcome.said.begin(), outcome.said.end(), '\n') == 1);
}

TEST_CASE("the first process of a container is ended as well") {
  if (!catches_crashes()) return;
  const auto status_of = [](const std::function<void()>& deed) {
    const Outcome outcome = outcome_of([&deed] { as_process_one(deed); });
    const int status = WEXITSTATUS(outcome.status);
    if (status != 77) CHECK(outcome.files == 1);
    return status;
  };
  if (status_of([] { write_to(0); }) == 77) return;
  CHECK(status_of([] { write_to(0); }) == kBySignal + SIGSEGV);
  CHECK(status_of([] { ::raise(SIGSEGV); }) == 128 + SIGSEGV);
  CHECK(status_of([] { std::abort(); }) == 128 + SIGABRT);
}

TEST_CASE("the alarm ends even the first process of a container, which blocks it") {
  if (!catches_crashes()) return;
  const auto hang = [] {
    as_process_one([] {
      // With the handler busy for a second: it waits for a stderr that nobody reads.
      std::array<int, 2> ends{};
      if (::pipe2(ends.data(), O_NONBLOCK) != 0) ::_exit(78);
      ::dup2(ends[1], STDERR_FILENO);
      while (::write(ends[1], "x", 1) == 1) {
      }
      sigset_t alarm;
      sigemptyset(&alarm);
      sigaddset(&alarm, SIGALRM);
      ::pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
      // Before there is a handler the kernel keeps it away from process 1.
      std::thread{[] {
        for (;;) ::kill(::getpid(), SIGALRM);
      }}.detach();
      write_to(0);
    });
  };
  const Outcome outcome = outcome_of(hang, false);
  const int status = WEXITSTATUS(outcome.status);
  CHECK((status == 128 + SIGSEGV || status == 77));
}

TEST_CASE("it is told without a descriptor to spare") {
  if (!catches_crashes()) return;
  const Outcome outcome = outcome_of([] {
    while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
    }
    std::abort();
  });
  CHECK(WTERMSIG(outcome.status) == SIGABRT);
  CHECK(outcome.files == 1);
}

}  // namespace wsproxy::server
