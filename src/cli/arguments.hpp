#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/doctor.hpp"
#include "cli/run.hpp"
#include "config/environment.hpp"

namespace wsproxy::cli {

enum class Command : std::uint8_t { run, check, schema, echo, connect, probe, tune, doctor };

/// What is to be done. Each command looks at its own part only.
struct Arguments {
  Command command = Command::run;
  RunOptions run;
  std::string config_file;             // check
  std::string host = "127.0.0.1";      // echo
  std::uint16_t port = 8008;           // echo
  std::string url;                     // connect, probe, tune
  std::optional<std::string> message;  // connect
  std::uint32_t seconds = 10;          // tune
  bool as_json = false;                // tune
  DoctorOptions doctor;
};

/// The arguments, or what to print instead and the code to exit with.
struct ParsedArguments {
  std::optional<Arguments> arguments;
  std::string output;
  std::string error;
  int exit_code = 0;
};

/// Reads a command line without the program's name. Options win over the environment's WS_PROXY_*
/// variables; an empty variable is none.
ParsedArguments parse_arguments(std::vector<std::string> words, const config::Environment& environment);

}  // namespace wsproxy::cli
