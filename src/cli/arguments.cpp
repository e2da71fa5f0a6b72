#include "cli/arguments.hpp"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>

#include "cli/doctor_grammar.hpp"
#include "cli/given.hpp"
#include "config/suggest.hpp"
#include "telemetry/program_images.hpp"

namespace wsproxy::cli {
namespace {

constexpr const char* kAbout =
    "A WebSocket proxy that gives clients permessage-deflate in front of an app that has none.";
constexpr const char* kVariables =
    "Environment of run: WS_PROXY_CONFIG, WS_PROXY_HOST, WS_PROXY_PORT, WS_PROXY_REMOTE_URL, "
    "WS_PROXY_ADMIN,\n"
    "WS_PROXY_SENTRY, WS_PROXY_SENTRY_URL, WS_PROXY_ENVIRONMENT, WS_PROXY_VERBOSE. Options win over these, "
    "these\n"
    "over the file. Exit codes: 0 done, 1 failed, 2 usage.";

/// The grammar of the command line. Values stay texts here: given.hpp judges them together with those
/// of the environment.
class Grammar {
 public:
  Grammar() {
    app_.name("wsproxy");
    app_.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app_.set_version_flag("--version",
                          "wsproxy " WSPROXY_VERSION "\nbuild id " + telemetry::program_build_id());
    app_.require_subcommand(0, 1);
    verbose_ = app_.add_flag("-v,--verbose")->description("log at info; twice: at debug");
    add_run();
    add_check();
    app_.add_subcommand("schema", "print the JSON Schema of the configuration");
    add_echo();
    add_connect();
    app_.add_subcommand("probe", "for a container's HEALTHCHECK: exit 0 when the side port says ready")
        ->add_option("URL", url_, "of the side port; default http://127.0.0.1:9090/readyz")
        ->type_name("");
    add_tune();
    doctor_.add_to(app_, url_);
    app_.footer(kVariables);
    for (CLI::App* command : app_.get_subcommands({})) command->fallthrough();
  }

  CLI::App& app() { return app_; }

  Arguments arguments(const config::Environment& environment) const {
    Arguments arguments;
    arguments.command = command();
    const Givens givens{environment};
    if (arguments.command == Command::run) arguments.run = run_options(givens);
    if (arguments.command == Command::check) {
      arguments.config_file = givens.text(check_config_, "WS_PROXY_CONFIG").value_or("");
      if (arguments.config_file.empty()) throw UsageError{"--config FILE is missing"};
    }
    arguments.host = givens.host(echo_host_, "").value_or(arguments.host);
    arguments.port = givens.port(echo_port_, "").value_or(arguments.port);
    arguments.url = url_;
    arguments.message = message_;
    if (arguments.command == Command::probe && url_.empty()) arguments.url = "http://127.0.0.1:9090/readyz";
    if (arguments.command == Command::tune && url_.empty()) arguments.url = "http://127.0.0.1:9090";
    arguments.seconds = tune_seconds_;
    arguments.as_json = tune_json_;
    if (arguments.command == Command::doctor) arguments.doctor = doctor_.options(url_);
    return arguments;
  }

 private:
  void add_run() {
    CLI::App* run =
        app_.add_subcommand("run", "run the proxy; without options 127.0.0.1:8009 to ws://localhost:8008");
    config_ = run->add_option("--config", "configuration file")->type_name("FILE");
    host_ = run->add_option("--host", "where clients connect")->type_name("HOST");
    port_ = run->add_option("--port", "where clients connect")->type_name("PORT");
    remote_url_ = run->add_option("--remote_url,--remote-url", "the app behind the proxy")->type_name("URL");
    admin_ = run->add_option("--admin", "the side port, host:port")->type_name("ADDRESS");
    run->footer(kVariables);
    sentry_ = run->add_flag("--sentry")->description("report errors to Sentry");
    sentry_url_ = run->add_option("--sentry_url,--sentry-url", "where to, with --sentry")->type_name("DSN");
    environment_ = run->add_option("--environment", "what the reports are labelled with")->type_name("NAME");
  }

  void add_check() {
    CLI::App* check = app_.add_subcommand("check", "validate a configuration and print what is in effect");
    check_config_ = check->add_option("--config", "configuration file")->type_name("FILE");
  }

  void add_echo() {
    CLI::App* echo = app_.add_subcommand("echo", "an echo app without compression, to run behind the proxy");
    echo_host_ = echo->add_option("--host", "where to listen; default 127.0.0.1")->type_name("HOST");
    echo_port_ = echo->add_option("--port", "where to listen; default 8008")->type_name("PORT");
  }

  void add_connect() {
    CLI::App* connect =
        app_.add_subcommand("connect", "a client: sends the lines of stdin, prints what comes");
    connect->add_option("URL", url_, "ws://host[:port][/path], or wss://")->type_name("")->required();
    connect->add_option("--send", message_, "send this instead; exit 0 only if an answer comes within 10 s")
        ->type_name("TEXT");
  }

  void add_tune() {
    CLI::App* tune =
        app_.add_subcommand("tune", "which compression settings a running proxy should have, and why");
    tune->add_option("URL", url_, "of the side port; default http://127.0.0.1:9090")->type_name("");
    tune->add_option("--seconds", tune_seconds_, "how long to look; 0: at all since its start; default 10")
        ->type_name("N")
        ->check(CLI::Range(0U, 3600U));
    tune->add_flag("--json", tune_json_, "print JSON instead of YAML");
  }

  Command command() const {
    static constexpr std::pair<const char*, Command> kCommands[] = {
        {"run", Command::run},   {"check", Command::check},     {"schema", Command::schema},
        {"echo", Command::echo}, {"connect", Command::connect}, {"probe", Command::probe},
        {"tune", Command::tune}, {"doctor", Command::doctor}};
    for (const auto& [name, command] : kCommands) {
      if (app_.got_subcommand(name)) return command;
    }
    throw UsageError{"no command"};
  }

  RunOptions run_options(const Givens& givens) const {
    RunOptions run;
    run.config_file = givens.text(config_, "WS_PROXY_CONFIG");
    run.host = givens.host(host_, "WS_PROXY_HOST");
    run.port = givens.port(port_, "WS_PROXY_PORT");
    run.remote_url = givens.upstream_url(remote_url_, "WS_PROXY_REMOTE_URL");
    run.admin = givens.address(admin_, "WS_PROXY_ADMIN");
    run.sentry = givens.flag(sentry_, "WS_PROXY_SENTRY");
    run.sentry_url = givens.dsn(sentry_url_, "WS_PROXY_SENTRY_URL");
    run.environment = givens.text(environment_, "WS_PROXY_ENVIRONMENT");
    run.verbosity = givens.verbosity(verbose_, "WS_PROXY_VERBOSE");
    return run;
  }

  CLI::App app_{kAbout};
  CLI::Option* verbose_ = nullptr;
  CLI::Option* config_ = nullptr;
  CLI::Option* host_ = nullptr;
  CLI::Option* port_ = nullptr;
  CLI::Option* remote_url_ = nullptr;
  CLI::Option* admin_ = nullptr;
  CLI::Option* sentry_ = nullptr;
  CLI::Option* sentry_url_ = nullptr;
  CLI::Option* environment_ = nullptr;
  CLI::Option* check_config_ = nullptr;
  CLI::Option* echo_host_ = nullptr;
  CLI::Option* echo_port_ = nullptr;
  std::string url_;
  std::optional<std::string> message_;
  std::uint32_t tune_seconds_ = 10;
  bool tune_json_ = false;
  DoctorGrammar doctor_;
};

ParsedArguments usage_error(const CLI::App& app, const std::string& problem) {
  const auto commands = app.get_subcommands();
  const std::string command = commands.empty() ? "" : " " + commands.front()->get_name();
  return {std::nullopt, "", "wsproxy" + command + ": " + problem + " (see wsproxy" + command + " --help)\n",
          2};
}

std::string unknown(const std::string& word, const std::vector<std::string>& candidates) {
  const auto meant = config::suggest(word, candidates);
  return "unknown argument " + word + (meant ? ", did you mean " + *meant + "?" : "");
}

/// Says which word is not known; an option rather than the value that may follow it.
ParsedArguments unknown_argument(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  std::vector<std::string> candidates;
  if (commands.empty()) {
    for (const CLI::App* command : app.get_subcommands({})) candidates.push_back(command->get_name());
  }
  for (const CLI::Option* option : (commands.empty() ? app : *commands.front()).get_options()) {
    candidates.push_back(option->get_name());
  }
  const auto words = app.remaining(true);
  const auto is_option = [](const std::string& word) { return word.starts_with('-'); };
  const auto option = std::find_if(words.begin(), words.end(), is_option);
  return usage_error(app, unknown(option != words.end() ? *option : words.front(), candidates));
}

/// --help and --version come as exceptions too.
ParsedArguments not_parsed(CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return unknown_argument(app);
  if (error.get_exit_code() != 0) return usage_error(app, error.what());
  std::ostringstream output, unused;
  app.exit(error, output, unused);
  return {std::nullopt, output.str(), "", 0};
}

}  // namespace

ParsedArguments parse_arguments(std::vector<std::string> words, const config::Environment& environment) {
  Grammar grammar;
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  try {
    grammar.app().parse(words);
    if (grammar.app().get_subcommands().empty()) return {std::nullopt, grammar.app().help(), "", 2};
    return {grammar.arguments(environment), "", "", 0};
  } catch (const CLI::ParseError& error) {
    return not_parsed(grammar.app(), error);
  } catch (const UsageError& error) {
    return usage_error(grammar.app(), error.problem);
  }
}

}  // namespace wsproxy::cli
