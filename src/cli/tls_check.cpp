#include "cli/tls_check.hpp"

#include "net/tls_setup.hpp"
#include "net/tls_ticket_keys.hpp"

namespace wsproxy::cli {
namespace {

using Kind = net::TlsProblem::Kind;

net::TlsProblems problems_of(const config::Config& config) {
  net::TlsTicketKeys tickets;
  net::TlsProblems problems;
  net::load_tls(config, tickets, problems);
  return problems;
}

config::Error error_of(const net::TlsProblem& problem) {
  return {"", 0, 0, problem.key, problem.text};
}

}  // namespace

TlsCheck check_tls(const config::Config& config) {
  TlsCheck result;
  for (const net::TlsProblem& problem : problems_of(config)) {
    if (problem.kind == Kind::exposed) {
      result.warnings.push_back(problem.key + " " + problem.text);
    } else {
      result.errors.push_back(error_of(problem));
    }
  }
  return result;
}

std::vector<config::Error> broken_tls(const config::Config& config) {
  std::vector<config::Error> errors;
  for (const net::TlsProblem& problem : problems_of(config)) {
    if (problem.kind == Kind::broken) errors.push_back(error_of(problem));
  }
  return errors;
}

}  // namespace wsproxy::cli
