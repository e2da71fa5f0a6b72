#include "cli/command_line.hpp"

#include <iostream>

#include "cli/arguments.hpp"
#include "cli/check.hpp"
#include "cli/connect.hpp"
#include "cli/doctor.hpp"
#include "cli/echo.hpp"
#include "cli/probe.hpp"
#include "cli/run.hpp"
#include "cli/schema.hpp"
#include "cli/tune.hpp"

namespace wsproxy::cli {
namespace {

int carry_out(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::run:
      return run(arguments.run);
    case Command::check:
      return check(arguments.config_file);
    case Command::schema:
      return schema();
    case Command::echo:
      return echo(arguments.host, arguments.port);
    case Command::connect:
      return connect(arguments.url, arguments.message);
    case Command::probe:
      return probe(arguments.url);
    case Command::tune:
      return tune(arguments.url, arguments.seconds, arguments.as_json);
    case Command::doctor:
      return doctor(arguments.doctor);
  }
  return 2;
}

}  // namespace

int command_line(int argc, char** argv) {
  const auto parsed =
      parse_arguments({argv + (argc > 0 ? 1 : 0), argv + argc}, config::process_environment());
  if (parsed.arguments) return carry_out(*parsed.arguments);
  std::cout << parsed.output << std::flush;
  std::cerr << parsed.error << std::flush;
  return parsed.exit_code;
}

}  // namespace wsproxy::cli
