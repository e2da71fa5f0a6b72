#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/program_images.hpp"

namespace wsproxy::telemetry {

struct CrashFrame {
  std::string image;         // "?": not in the code of any file, and then nothing more is known
  std::uint64_t offset = 0;  // from the image's base
};

/// What a process that crashed has left (server/crash_handler writes it). There is no payload in it: names
/// and numbers of the program, and addresses.
struct CrashReport {
  std::string time;  // RFC 3339
  std::string signal;
  std::int64_t number = 0;
  std::int64_t code = 0;  // si_code; 0 and below: somebody has sent the signal
  std::string address;    // that could not be used: 0x.., or where it was, in a word
  std::string reason;     // why the program ended itself; may be empty
  std::string thread;
  std::int64_t thread_id = 0;
  std::string version;
  std::string build_id;
  std::vector<CrashFrame> frames;    // where it happened first, then who has called that
  std::vector<ProgramImage> images;  // those of the frames
};

/// Nothing for what is no such report; what is missing in one is empty.
std::optional<CrashReport> parse_crash_report(std::string_view json);

}  // namespace wsproxy::telemetry
