#include "cli/command_line.hpp"

int main(int argc, char** argv) {
  return wsproxy::cli::command_line(argc, argv);
}
