// Preloaded into the proxy: makes system calls fail as their manual pages say that they may. Which, on what,
// how and how often stands in a file that the test maps too (failing.py has the same layout), so that it
// changes while the proxy runs. Calls that the plan does not name go to the C library as ever.
//
// It never tells a lie that a kernel could not: whoever was told EAGAIN, or got fewer bytes than there are,
// is told of a new edge by his epoll, as if the rest had come a moment later.
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>

namespace {

constexpr std::size_t kNameBytes = 24;
constexpr std::size_t kThreadBytes = 16;
constexpr std::uint32_t kUnarmed = 0;
constexpr std::uint32_t kForEver = UINT32_MAX;

struct Plan {
  std::atomic<std::uint32_t> armed;
  std::array<char, kNameBytes> call;
  std::array<char, kThreadBytes> thread;  // empty: any
  std::uint32_t port;                     // of either end of the socket; 0: any descriptor
  std::int32_t error;                     // 0: not a failure, but no more than `most` bytes
  std::uint32_t most;
  std::atomic<std::uint32_t> skip;   // so many are let through first
  std::atomic<std::uint32_t> times;  // so many are hit then
  std::atomic<std::uint32_t> hits;
  std::atomic<std::int64_t> clock_shift;  // of the real time, in seconds
};

Plan* map_plan() {
  const char* path = std::getenv("WSPROXY_FAULT_PLAN");
  if (path == nullptr) return nullptr;
  const auto descriptor = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
  if (descriptor < 0) return nullptr;
  void* memory = ::mmap(nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  ::syscall(SYS_close, descriptor);
  return memory == MAP_FAILED ? nullptr : static_cast<Plan*>(memory);
}

Plan* plan = nullptr;
// Before any constructor of the program, and after the C library's.
__attribute__((constructor)) void begin() {
  plan = map_plan();
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::uint32_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

bool has_port(long call, int descriptor, std::uint32_t port) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return ::syscall(call, descriptor, &address, &size) == 0 && port_of(address) == port;
}

bool is_meant(int descriptor) {
  if (plan->port == 0) return true;
  return has_port(SYS_getsockname, descriptor, plan->port) ||
         has_port(SYS_getpeername, descriptor, plan->port);
}

bool is_meant_thread() {
  if (plan->thread[0] == '\0') return true;
  std::array<char, kThreadBytes> name{};
  ::prctl(PR_GET_NAME, name.data());
  return std::strncmp(name.data(), plan->thread.data(), kThreadBytes) == 0;
}

bool take_one(std::atomic<std::uint32_t>& number) {
  std::uint32_t left = number.load();
  while (left != 0 && left != kForEver && !number.compare_exchange_weak(left, left - 1)) {
  }
  return left != 0;
}

/// Whether this call is the one; keeps errno.
bool strikes(const char* call, int descriptor = -1) {
  if (plan == nullptr || plan->armed.load(std::memory_order_acquire) == kUnarmed) return false;
  if (std::strncmp(call, plan->call.data(), kNameBytes) != 0) return false;
  const int before = errno;
  const bool is_it = is_meant_thread() && (descriptor < 0 || is_meant(descriptor)) && !take_one(plan->skip) &&
                     take_one(plan->times);
  if (is_it) plan->hits.fetch_add(1);
  errno = before;
  return is_it;
}

int failed() {
  errno = plan->error;
  return -1;
}

/// What the epolls have been told of a descriptor.
struct Registration {
  std::atomic<int> epoll{-1};
  epoll_event event{};
};
std::array<Registration, 4096> registrations;

void note_registration(int epoll, int operation, int descriptor, const epoll_event* event) {
  if (descriptor < 0 || descriptor >= static_cast<int>(registrations.size())) return;
  Registration& one = registrations[static_cast<std::size_t>(descriptor)];
  if (operation != EPOLL_CTL_DEL && event != nullptr) one.event = *event;
  one.epoll = operation == EPOLL_CTL_DEL ? -1 : epoll;
}

void tell_a_new_edge(int descriptor) {
  if (descriptor < 0 || descriptor >= static_cast<int>(registrations.size())) return;
  Registration& one = registrations[static_cast<std::size_t>(descriptor)];
  const int before = errno;
  if (const int epoll = one.epoll; epoll >= 0)
    ::syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_MOD, descriptor, &one.event);
  errno = before;
}

/// A call that moves bytes: fails, or moves no more than the plan has.
template <class Call>
ssize_t move_bytes(const char* name, int descriptor, std::size_t size, Call&& call) {
  if (!strikes(name, descriptor)) return call(size);
  const bool is_short = plan->error == 0;
  const ssize_t result = is_short ? call(size < plan->most ? size : plan->most) : failed();
  if (is_short || plan->error == EAGAIN) tell_a_new_edge(descriptor);
  return result;
}

template <class Message>
ssize_t move_message(const char* name, int descriptor, const msghdr* message,
                     ssize_t (*call)(int, Message*, int), int flags) {
  if (!strikes(name, descriptor)) return call(descriptor, const_cast<msghdr*>(message), flags);
  const bool is_short = plan->error == 0;
  ssize_t result = -1;
  if (is_short && message->msg_iovlen > 0) {
    iovec first = message->msg_iov[0];
    if (first.iov_len > plan->most) first.iov_len = plan->most;
    msghdr shorter = *message;
    shorter.msg_iov = &first;
    shorter.msg_iovlen = 1;
    result = call(descriptor, &shorter, flags);
  } else {
    result = failed();
  }
  if (is_short || plan->error == EAGAIN) tell_a_new_edge(descriptor);
  return result;
}

}  // namespace

#define REAL(name) static auto* const call = real<decltype(name)>(#name)
/// The call as it is, but for those that the plan wants to fail.
#define FAILS_AS(name, descriptor, ...) \
  REAL(name);                           \
  return strikes(#name, descriptor) ? failed() : call(__VA_ARGS__)

extern "C" {

// Asio has both: the side port's is accept().
int accept(int socket, sockaddr* address, socklen_t* size) {
  FAILS_AS(accept, socket, socket, address, size);
}
int accept4(int socket, sockaddr* address, socklen_t* size, int flags) {
  FAILS_AS(accept4, socket, socket, address, size, flags);
}
int connect(int socket, const sockaddr* address, socklen_t size) {
  REAL(connect);
  // It has no ends yet, but will: a port is that of the address.
  sockaddr_storage to{};
  std::memcpy(&to, address, size < sizeof to ? size : sizeof to);
  if (plan != nullptr && plan->port != 0 && plan->port != port_of(to)) return call(socket, address, size);
  if (!strikes("connect")) return call(socket, address, size);
  if (plan->error == EINTR) call(socket, address, size);  // it goes on in the background (connect(2))
  return failed();
}
int socket(int family, int type, int protocol) noexcept {
  FAILS_AS(socket, -1, family, type, protocol);
}
int bind(int socket, const sockaddr* address, socklen_t size) noexcept {
  REAL(bind);
  return strikes("bind") ? failed() : call(socket, address, size);
}
int listen(int socket, int backlog) noexcept {
  FAILS_AS(listen, socket, socket, backlog);
}
int shutdown(int socket, int how) noexcept {
  FAILS_AS(shutdown, socket, socket, how);
}
int setsockopt(int socket, int level, int name, const void* value, socklen_t size) noexcept {
  FAILS_AS(setsockopt, socket, socket, level, name, value, size);
}
int getsockopt(int socket, int level, int name, void* value, socklen_t* size) noexcept {
  FAILS_AS(getsockopt, socket, socket, level, name, value, size);
}
int getsockname(int socket, sockaddr* address, socklen_t* size) noexcept {
  FAILS_AS(getsockname, socket, socket, address, size);
}
int getpeername(int socket, sockaddr* address, socklen_t* size) noexcept {
  FAILS_AS(getpeername, socket, socket, address, size);
}
ssize_t recv(int socket, void* into, size_t size, int flags) {
  REAL(recv);
  return move_bytes("recv", socket, size, [&](size_t most) { return call(socket, into, most, flags); });
}
ssize_t send(int socket, const void* from, size_t size, int flags) {
  REAL(send);
  return move_bytes("send", socket, size, [&](size_t most) { return call(socket, from, most, flags); });
}
ssize_t read(int descriptor, void* into, size_t size) {
  REAL(read);
  return move_bytes("read", descriptor, size, [&](size_t most) { return call(descriptor, into, most); });
}
ssize_t write(int descriptor, const void* from, size_t size) {
  REAL(write);
  return move_bytes("write", descriptor, size, [&](size_t most) { return call(descriptor, from, most); });
}
ssize_t recvmsg(int socket, msghdr* message, int flags) {
  REAL(recvmsg);
  return move_message("recvmsg", socket, message, call, flags);
}
ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  REAL(sendmsg);
  return move_message("sendmsg", socket, message, call, flags);
}
int poll(pollfd* descriptors, nfds_t count, int timeout) {
  FAILS_AS(poll, -1, descriptors, count, timeout);
}
int epoll_create(int size) noexcept {
  FAILS_AS(epoll_create, -1, size);
}
int epoll_create1(int flags) noexcept {
  FAILS_AS(epoll_create1, -1, flags);
}
int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  REAL(epoll_ctl);
  // Only this one wants memory and a place among the user's watches (epoll_ctl(2)).
  if (operation == EPOLL_CTL_ADD && strikes("epoll_ctl", descriptor)) return failed();
  const int result = call(epoll, operation, descriptor, event);
  if (result == 0) note_registration(epoll, operation, descriptor, event);
  return result;
}
int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  FAILS_AS(epoll_wait, -1, epoll, events, most, timeout);
}
int timerfd_create(int clock, int flags) noexcept {
  FAILS_AS(timerfd_create, -1, clock, flags);
}
int timerfd_settime(int timer, int flags, const itimerspec* next, itimerspec* before) noexcept {
  FAILS_AS(timerfd_settime, -1, timer, flags, next, before);
}
int eventfd(unsigned initial, int flags) noexcept {
  FAILS_AS(eventfd, -1, initial, flags);
}
int pipe(int* ends) noexcept {
  FAILS_AS(pipe, -1, ends);
}
int inotify_init1(int flags) noexcept {
  FAILS_AS(inotify_init1, -1, flags);
}
int inotify_add_watch(int inotify, const char* path, uint32_t mask) noexcept {
  FAILS_AS(inotify_add_watch, -1, inotify, path, mask);
}
int mkdir(const char* path, mode_t mode) noexcept {
  FAILS_AS(mkdir, -1, path, mode);
}
int ioctl(int descriptor, unsigned long request, ...) noexcept {
  REAL(ioctl);
  va_list rest;
  va_start(rest, request);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  return strikes("ioctl", descriptor) ? failed() : call(descriptor, request, argument);
}
FILE* fopen(const char* path, const char* mode) {
  REAL(fopen);
  return strikes("open") ? (failed(), nullptr) : call(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  REAL(fopen64);
  return strikes("open") ? (failed(), nullptr) : call(path, mode);
}
int open(const char* path, int flags, ...) {
  REAL(open);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return strikes("open") ? failed() : call(path, flags, mode);
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
  REAL(pthread_create);
  return strikes("pthread_create") ? plan->error : call(thread, attributes, run, argument);
}
/// The plan's error is then one of EAI_.
int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  REAL(getaddrinfo);
  if (!strikes("getaddrinfo")) return call(host, service, hints, found);
  if (plan->error == EAI_SYSTEM) errno = EMFILE;
  return plan->error;
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  REAL(clock_gettime);
  const int result = call(clock, time);
  if (plan != nullptr && clock == CLOCK_REALTIME) time->tv_sec += plan->clock_shift.load();
  return result;
}
int gettimeofday(timeval* now, void* zone) noexcept {
  REAL(gettimeofday);
  const int result = call(now, zone);
  if (plan != nullptr) now->tv_sec += plan->clock_shift.load();
  return result;
}
time_t time(time_t* into) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (into != nullptr) *into = now.tv_sec;
  return now.tv_sec;
}

// dlsym() itself wants memory, so these know the C library's by name. operator new stands on them.
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* before, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  if (strikes("malloc")) return errno = ENOMEM, nullptr;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  if (strikes("malloc")) return errno = ENOMEM, nullptr;
  return __libc_calloc(count, size);
}
void* realloc(void* before, size_t size) {
  if (strikes("malloc")) return errno = ENOMEM, nullptr;
  return __libc_realloc(before, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  if (strikes("malloc")) return errno = ENOMEM, nullptr;
  return __libc_memalign(alignment, size);
}

}  // extern "C"
