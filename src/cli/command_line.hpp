#pragma once

namespace wsproxy::cli {

/// Parses the command line (DESIGN section 6), runs the subcommand and returns the exit code: 0 done,
/// 1 failed, 2 usage.
int command_line(int argc, char** argv);

}  // namespace wsproxy::cli
