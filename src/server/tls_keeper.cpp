#include "server/tls_keeper.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/chrono.h>

namespace wsproxy::server {

using Kind = net::TlsProblem::Kind;
using telemetry::Level;

namespace {

std::string date_of(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace

TlsKeeper::TlsKeeper(net::IoContext& io, std::shared_ptr<const config::Config> config, telemetry::Log& log,
                     ReloadCount& count)
    : config_(std::move(config)),
      log_(log),
      count_(count),
      watch_(io, net::tls_files(*config_), [this] { reload(); }) {
  if (!watch_.watch()) {
    log_.write(Level::warning, "no inotify left: changes of TLS files are seen within a minute");
  }
  setup_ = read(*config_).setup;
  note_certificates();
  tell_certificates();
}

TlsKeeper::Read TlsKeeper::read(const config::Config& next) {
  net::TlsProblems problems;
  Read read{.stamps = FileWatch::stamps_of(net::tls_files(next)), .setup = {}};
  read.setup = net::load_tls(next, tickets_, problems);
  for (const net::TlsProblem& problem : problems) {
    if (problem.kind == Kind::broken) throw std::runtime_error(problem.key + ": " + problem.text);
    log_.write(Level::warning, "TLS is not as it should be",
               {{"key", problem.key}, {"problem", problem.text}});
  }
  return read;
}

void TlsKeeper::adopt(std::shared_ptr<const config::Config> next, Read read) {
  config_ = std::move(next);
  setup_ = std::move(read.setup);
  watch_.set_files(net::tls_files(*config_), std::move(read.stamps));
  note_certificates();
  tell_certificates();
}

void TlsKeeper::start(OnNew on_new) {
  on_new_ = std::move(on_new);
  watch_.start();
}

void TlsKeeper::reload() {
  net::TlsProblems problems;
  setup_ = net::reload_tls(*config_, tickets_, setup_, problems);
  std::erase_if(problems, [](const net::TlsProblem& problem) { return problem.kind == Kind::exposed; });
  for (const net::TlsProblem& problem : problems) {
    log_.write(Level::error, "new TLS files refused: the ones before stay in use",
               {{"key", problem.key}, {"problem", problem.text}});
  }
  note_certificates();
  count_.add(problems.empty());
  tell_certificates();
  if (on_new_) on_new_(setup_);
}

bool TlsKeeper::is_used() const {
  const auto is_there = [](const auto& one) { return one != nullptr; };
  return std::ranges::any_of(setup_.listeners, is_there) || std::ranges::any_of(setup_.apps, is_there);
}

std::vector<telemetry::CertificateExpiry> TlsKeeper::certificates() const {
  const std::lock_guard lock{mutex_};
  return certificates_;
}

void TlsKeeper::note_certificates() {
  std::vector<telemetry::CertificateExpiry> found;
  for (std::size_t i = 0; i < setup_.listeners.size(); ++i) {
    if (!setup_.listeners[i]) continue;
    for (const auto& one : setup_.listeners[i]->certificates()) {
      found.push_back({config_->listeners[i].label(), one.file, one.not_after});
    }
  }
  const std::lock_guard lock{mutex_};
  certificates_ = std::move(found);
}

void TlsKeeper::tell_certificates() const {
  for (const telemetry::CertificateExpiry& one : certificates_) {
    const std::string date = date_of(one.not_after);
    log_.write(Level::info, "certificate in use",
               {{"listener", one.listener}, {"certificate", one.file}, {"expires", date}});
  }
}

}  // namespace wsproxy::server
