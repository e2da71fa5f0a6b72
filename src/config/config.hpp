#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The configuration as plain data with its defaults (DESIGN section 7). Read once, validated, then
/// shared as const. Sizes are bytes.
namespace wsproxy::config {

using Duration = std::chrono::milliseconds;

/// host:port, [v6]:port or unix:/path.
struct Address {
  std::string host;  // without brackets; empty for a unix socket
  std::uint16_t port = 0;
  std::string unix_path;  // empty for TCP
  bool is_unix() const { return !unix_path.empty(); }
  std::string text() const;  // as it is written in the file
  bool operator==(const Address&) const = default;
};

struct Certificate {
  std::string certificate;
  std::string private_key;
  bool operator==(const Certificate&) const = default;
};

struct ListenerTls {
  std::string certificate;
  std::string private_key;
  std::vector<Certificate> additional;
  std::string client_ca;
  std::string min_version = "1.2";
  bool operator==(const ListenerTls&) const = default;
};

struct Listener {
  std::string name;  // empty: the address stands for it, see label()
  Address address{"127.0.0.1", 8009, {}};
  bool proxy_protocol = false;
  std::optional<ListenerTls> tls;
  /// What logs and metrics call it.
  std::string label() const { return name.empty() ? address.text() : name; }
  bool operator==(const Listener&) const = default;
};

/// ws://, wss:// or ws+unix:
struct UpstreamUrl {
  bool tls = false;
  std::string host = "localhost";
  std::uint16_t port = 8008;
  std::string unix_path;  // ws+unix:/path/app.sock
  std::string base_path;  // put before the client's path; without a trailing slash
  bool is_unix() const { return !unix_path.empty(); }
  std::string text() const;
  bool operator==(const UpstreamUrl&) const = default;
};

struct UpstreamTls {
  std::string ca;
  std::string server_name;
  bool verify = true;
  std::string certificate;
  std::string private_key;
  bool operator==(const UpstreamTls&) const = default;
};

struct Upstream {
  UpstreamUrl url;
  Duration connect_timeout{5000};
  Duration response_timeout{10000};
  std::uint32_t max_connections = 0;
  std::uint16_t lost_code = 1011;
  UpstreamTls tls;
  bool operator==(const Upstream&) const = default;
};

enum class Engine : std::uint8_t { automatic, zlib, isal };

struct Compression {
  bool enabled = true;
  Engine engine = Engine::automatic;
  std::uint8_t level = 6;
  std::uint64_t min_size = 32;
  std::uint8_t window_bits = 15;
  std::uint32_t history = 4096;  // at most 32768
  bool context_takeover = true;
  std::uint8_t client_window_bits = 12;
  bool client_context_takeover = true;
  std::uint64_t memory = 256ULL << 20;
  bool adaptive = true;
  bool operator==(const Compression&) const = default;
};

struct RouteMatch {
  std::string host;
  std::string path;
  bool operator==(const RouteMatch&) const = default;
};

struct Route {
  RouteMatch match;
  Upstream upstream;
  Compression compression;
  bool operator==(const Route&) const = default;
};

struct Limits {
  std::uint32_t max_connections = 10000;
  std::uint32_t max_connections_per_ip = 0;
  std::uint64_t max_message_size = 16ULL << 20;
  std::uint32_t max_header_size = 16384;
  std::uint64_t write_buffer = 1ULL << 20;
  std::vector<std::string> allowed_origins;
  bool operator==(const Limits&) const = default;
};

struct Timeouts {
  Duration handshake{10000};
  Duration ping_interval{30000};
  Duration ping_timeout{10000};
  Duration idle{0};
  Duration close{5000};
  bool operator==(const Timeouts&) const = default;
};

struct Drain {
  Duration delay{0};
  Duration spread{5000};
  Duration timeout{25000};
  std::uint16_t close_code = 1001;
  bool operator==(const Drain&) const = default;
};

enum class LogLevel : std::uint8_t { error, warning, info, debug };
enum class LogFormat : std::uint8_t { automatic, text, json };

struct Log {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::automatic;
  bool access = true;
  bool operator==(const Log&) const = default;
};

struct Sentry {
  std::string dsn;
  std::string environment = "dev";
  bool operator==(const Sentry&) const = default;
};

struct Config {
  std::vector<Listener> listeners{Listener{}};
  Upstream upstream;
  std::vector<Route> routes;
  Compression compression;
  Limits limits;
  Timeouts timeouts;
  Drain drain;
  bool http_forward = true;
  std::vector<std::string> trusted_proxies;
  Address admin{"127.0.0.1", 9090, {}};
  Log log;
  Sentry sentry;
  std::uint32_t workers = 0;  // 0: auto
  bool operator==(const Config&) const = default;
};

}  // namespace wsproxy::config
