#include "cli/run_options.hpp"

#include "config/address.hpp"
#include "config/validate.hpp"

namespace wsproxy::cli {
namespace {

using Errors = std::vector<config::Error>;

void report(Errors& errors, std::string option, std::string problem) {
  errors.push_back({"", 0, 0, std::move(option), std::move(problem)});
}

/// Host and port replace the first listener's; the one that is not given stays.
void apply_listener(const RunOptions& options, config::Config& config, Errors& errors) {
  if (!options.host && !options.port) return;
  if (config.listeners.empty()) config.listeners.emplace_back();
  config::Address& address = config.listeners.front().address;
  if (address.is_unix()) address = config::Listener{}.address;
  if (options.host) address.host = *options.host;
  if (options.port) address.port = *options.port;
  if (!config::is_host(address.host)) {
    report(errors, "--host", "\"" + address.host + "\" is wrong, must be a name or an IP address");
  }
}

void apply_addresses(const RunOptions& options, config::Config& config, Errors& errors) {
  if (options.remote_url) {
    const auto url = config::parse_upstream_url(*options.remote_url);
    if (url)
      config.upstream.url = *url;
    else
      report(errors, "--remote_url", "\"" + *options.remote_url + "\" " + url.problem);
  }
  if (options.admin) {
    const auto address = config::parse_address(*options.admin);
    if (address)
      config.admin.address = *address;
    else
      report(errors, "--admin", "\"" + *options.admin + "\" " + address.problem);
  }
}

/// The DSN of the options counts only with --sentry, so that an environment may hold it for good.
void apply_sentry(const RunOptions& options, config::Config& config, Errors& errors) {
  if (options.environment) config.sentry.environment = *options.environment;
  if (!options.sentry) return;
  if (options.sentry_url) config.sentry.dsn = *options.sentry_url;
  if (config.sentry.dsn.empty()) {
    report(errors, "--sentry", "there is no DSN, give --sentry_url or sentry.dsn in the file");
  }
}

void apply_verbosity(int verbosity, config::Log& log) {
  if (verbosity == 1) log.level = config::LogLevel::info;
  if (verbosity > 1) log.level = config::LogLevel::debug;
}

}  // namespace

std::vector<config::Error> apply_options(const RunOptions& options, config::Config& config) {
  Errors errors;
  apply_listener(options, config, errors);
  apply_addresses(options, config, errors);
  apply_sentry(options, config, errors);
  apply_verbosity(options.verbosity, config.log);
  for (config::Error& error : config::validate(config)) errors.push_back(std::move(error));
  return errors;
}

}  // namespace wsproxy::cli
