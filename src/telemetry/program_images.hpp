#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wsproxy::telemetry {

/// A file of code in this process's memory.
struct ProgramImage {
  std::string name;  // without its folders
  std::uint64_t base = 0;
  std::uint64_t size = 0;
  std::string build_id;  // in hexadecimal digits, of the note that the linker wrote; empty: it has none
};

/// The program first, then its libraries.
std::vector<ProgramImage> program_images();

/// Of the program: what its debug symbols are found by.
std::string program_build_id();

}  // namespace wsproxy::telemetry
