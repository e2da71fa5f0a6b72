#include <cstdio>
#include <exception>

#include "cli/command_line.hpp"

int main(int argc, char** argv) {
  try {
    return wsproxy::cli::command_line(argc, argv);
  } catch (const std::exception& error) {
    // No thread or no memory even for the log that would say so.
    std::fprintf(stderr, "wsproxy: %s\n", error.what());
    return 1;
  }
}
