#include "cli/doctor_grammar.hpp"

#include <CLI/CLI.hpp>

#include "base/ascii.hpp"
#include "cli/given.hpp"
#include "config/suggest.hpp"
#include "config/text_rules.hpp"
#include "config/units.hpp"
#include "doctor/examination.hpp"

namespace wsproxy::cli {
namespace {

using namespace std::chrono_literals;

void judge_check(const std::string& id) {
  if (doctor::is_known(id)) return;
  std::vector<std::string> known;
  for (const auto& check : doctor::checks()) known.emplace_back(check.id);
  const auto meant = config::suggest(id, known);
  throw UsageError{"--only: there is no check " + id + (meant ? ", did you mean " + *meant + "?" : "")};
}

/// What checks change of the handshake is not the user's to set, but the subprotocols are.
bool is_ours(std::string_view name) {
  return base::to_lower(name).starts_with("sec-websocket-") && !base::iequals(name, "Sec-WebSocket-Protocol");
}

/// Its content is not shown, since it may be a token.
std::pair<std::string, std::string> header_of(const std::string& line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos || !base::is_token(std::string_view{line}.substr(0, colon)) ||
      !config::is_printable(line))
    throw UsageError{"--header: must be 'Name: value'"};
  if (is_ours(std::string_view{line}.substr(0, colon)))
    throw UsageError{"--header: " + line.substr(0, colon) + " is the doctor's own"};
  return {line.substr(0, colon), std::string{base::trim(std::string_view{line}.substr(colon + 1))}};
}

}  // namespace

void DoctorGrammar::add_to(CLI::App& app, std::string& url) {
  CLI::App* doctor = app.add_subcommand(
      "doctor", "examine a WebSocket server: handshake, framing, closing, permessage-deflate, limits");
  doctor->add_option("URL", url, "ws://host[:port][/path], or wss://")->type_name("")->required();
  doctor->add_flag("--deep", deep_, "the heavy checks too: bombs, floods, a reader that does not read");
  doctor->add_flag("--json", as_json_, "print JSON instead of a scorecard");
  const auto repeated = [](CLI::Option* option) {
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
    return option;
  };
  repeated(doctor->add_option("--only", only_, "this check, or this group of checks, only; may be repeated"))
      ->type_name("ID");
  repeated(doctor->add_option("--header", headers_,
                              "a header for each request, also in place of one of its own; may be repeated"))
      ->type_name("'NAME: VALUE'");
  doctor->add_option("--timeout", timeout_, "how long an answer may take; default 5s")->type_name("DURATION");
  doctor->footer(
      "Exit codes: 0 all passed, 1 something failed or the server cannot be reached, 2 usage, 3 only "
      "warnings.");
}

DoctorOptions DoctorGrammar::options(const std::string& url) const {
  DoctorOptions options{url, deep_, as_json_, only_, {}, 5s};
  for (const auto& id : only_) judge_check(id);
  for (const auto& line : headers_) options.headers.push_back(header_of(line));
  const auto timeout = config::parse_duration(timeout_);
  if (!timeout) throw UsageError{"--timeout: \"" + timeout_ + "\" " + timeout.problem};
  if (*timeout < 10ms || *timeout > 10min) throw UsageError{"--timeout: must be from 10ms to 10m"};
  options.patience = *timeout;
  return options;
}

}  // namespace wsproxy::cli
