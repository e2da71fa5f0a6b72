#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "server/crash_text.hpp"

namespace wsproxy::server {

/// A file of code in memory, in arrays of its own: a signal handler can rely on no other memory.
struct CrashImage {
  std::array<char, 48> name;
  std::array<char, 65> build_id;
  std::uint64_t base;
  std::uint64_t size;
};

/// What is known of a crash. Texts end with a zero.
struct CrashFacts {
  std::array<char, 32> version;
  std::array<CrashImage, 48> images;  // the program first
  std::size_t image_count;
  const char* signal;
  int number;
  int code;               // si_code
  std::uint64_t address;  // si_addr
  std::uint64_t stack;    // where it stood
  const char* reason;     // the type of the exception; nullptr: none
  std::array<char, 16> thread;
  std::int64_t thread_id;
};

/// The line that tells a crash (docs/errors.md), its end included. `frames` are addresses of code: where it
/// happened, and where calls return to. Async-signal-safe.
void write_crash_line(CrashText& out, const CrashFacts& facts, std::chrono::system_clock::time_point now,
                      std::span<void* const> frames);

}  // namespace wsproxy::server
