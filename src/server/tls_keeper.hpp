#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "config/config.hpp"
#include "net/tls_setup.hpp"
#include "net/tls_ticket_keys.hpp"
#include "server/file_watch.hpp"
#include "server/reload_count.hpp"
#include "telemetry/exporter.hpp"
#include "telemetry/log.hpp"

namespace wsproxy::server {

/// Keeps the process's TLS as its files are: reads them at the start and again whenever they change. New ones
/// that are broken or expired are refused and the ones before stay. On the main thread, but for what
/// metrics ask.
class TlsKeeper {
 public:
  using OnNew = std::function<void(const net::TlsSetup&)>;

  /// Throws std::runtime_error with one line for the operator when a file is broken. All outlive this.
  TlsKeeper(net::IoContext& io, std::shared_ptr<const config::Config> config, telemetry::Log& log,
            ReloadCount& count);

  const net::TlsSetup& setup() const { return setup_; }
  /// From now on files are watched, and `on_new` told of what they have become.
  void start(OnNew on_new);
  void stop() { watch_.stop(); }
  /// Reads the files again, changed or not.
  void reload();

  struct Read {
    FileWatch::Stamps stamps;  // from before it
    net::TlsSetup setup;
  };
  /// What another configuration has; throws std::runtime_error when a file of it is broken.
  Read read(const config::Config& next);
  /// From now on it keeps that one's.
  void adopt(std::shared_ptr<const config::Config> next, Read read);

  /// Whether anybody speaks TLS.
  bool is_used() const;

  /// From any thread.
  std::vector<telemetry::CertificateExpiry> certificates() const;

 private:
  void note_certificates();
  void tell_certificates() const;

  std::shared_ptr<const config::Config> config_;
  telemetry::Log& log_;
  ReloadCount& count_;
  net::TlsTicketKeys tickets_;
  net::TlsSetup setup_;
  FileWatch watch_;
  OnNew on_new_;
  mutable std::mutex mutex_;  // of the next one
  std::vector<telemetry::CertificateExpiry> certificates_;
};

}  // namespace wsproxy::server
