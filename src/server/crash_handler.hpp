#pragma once

#include <cstddef>
#include <string>

namespace wsproxy::server {

/// What a fatal signal does from now on: a line of JSON to stderr and into a file of `directory`, of
/// which it keeps a descriptor of its own, under the name `file`; -1: no file. Then the signal has its
/// default action, so that the exit status and core dumps are as ever. Once a process, on the main thread.
/// Nothing in a build with sanitizers, which have handlers of their own.
///
/// The line has the signal, where it happened, the thread, the version, the build id and addresses of code.
/// It has no register, no memory and no number that could be a client's: an address counts only inside of a
/// file of code, next to null or on the stack.
///
/// The way back is found by backtrace(), on unwind tables, which a stripped program has as well; frame
/// pointers would end at the first library. Its first call loads libgcc, so one is made here; from glibc 2.35
/// on the later ones take no lock.
void catch_crashes(const std::string& version, int directory, const std::string& file);

/// Whether this build catches them.
bool catches_crashes();

/// A stack for the handler of the thread that makes it, until its end: an overflow of the thread's own has no
/// room for one.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace wsproxy::server
