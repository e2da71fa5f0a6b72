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

/// What becomes of a client without a certificate, where client_ca asks for one.
enum class ClientAuth : std::uint8_t { required, optional };

struct ListenerTls {
  std::string certificate;
  std::string private_key;
  std::vector<Certificate> additional;
  std::string client_ca;  // empty: clients are not asked for a certificate
  ClientAuth client_auth = ClientAuth::required;
  std::string client_crl;
  std::string min_version = "1.2";
  std::string ciphers;       // of TLS 1.2, as OpenSSL lists them; empty: ours
  std::string ciphersuites;  // of TLS 1.3
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
  /// As a client would write it in Host (RFC 9110 section 7.2).
  std::string authority() const;
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

/// The PROXY protocol header that an app is sent ahead of everything else.
enum class ProxyHeader : std::uint8_t { off, v1, v2 };

struct Upstream {
  UpstreamUrl url;
  Duration connect_timeout{5000};
  Duration response_timeout{10000};
  std::uint32_t max_connections = 0;
  std::uint16_t lost_code = 1011;
  ProxyHeader proxy_protocol = ProxyHeader::off;
  UpstreamTls tls;
  bool operator==(const Upstream&) const = default;
};

enum class Engine : std::uint8_t { automatic, zlib, isal };

/// observe: messages go to clients as they are, and a sample is compressed to tell what it would save.
enum class CompressionMode : std::uint8_t { compress, observe };

/// How much of what it has sent the proxy keeps to refer back to.
struct HistoryReach {
  static constexpr std::uint32_t kMost = 32768;  // the widest window there is
  bool is_auto = true;                           // as much as pays, up to `bytes`
  std::uint32_t bytes = kMost;                   // the agreed window bounds it too
  bool operator==(const HistoryReach&) const = default;
};

struct Compression {
  bool enabled = true;
  CompressionMode mode = CompressionMode::compress;
  std::uint32_t observe_every = 16;  // in that mode, of so many messages one is compressed
  Engine engine = Engine::automatic;
  std::uint8_t level = 6;
  std::uint64_t min_size = 32;
  std::uint8_t window_bits = 15;
  HistoryReach history;
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

/// What to do with a client that goes over a rate: read slower, or close with 1008.
enum class RateAction : std::uint8_t { slow, close };

struct Limits {
  std::uint32_t max_connections = 10000;
  std::uint32_t max_connections_per_ip = 0;
  std::uint32_t handshakes_per_second_per_ip = 0;
  std::uint64_t max_message_size = 16ULL << 20;
  std::uint32_t max_header_size = 16384;
  std::uint64_t write_buffer = 1ULL << 20;
  // What a client may send on one connection; 0 is no limit.
  std::uint32_t messages_per_second = 0;
  std::uint64_t bytes_per_second = 0;  // payload, inflated
  std::uint32_t control_frames_per_second = 100;
  RateAction rate_action = RateAction::slow;
  std::vector<std::string> allowed_origins;
  bool operator==(const Limits&) const = default;
};

struct Route {
  RouteMatch match;
  Upstream upstream;
  Compression compression;
  Limits limits;          // only those that can be told once the request is known
  std::string name = {};  // empty: what it matches stands for it
  /// What the status page calls it.
  std::string label() const { return name.empty() ? match.host + match.path : name; }
  bool operator==(const Route&) const = default;
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

struct WebSocket {
  bool validate_utf8 = true;  // of text that arrives uncompressed
  bool operator==(const WebSocket&) const = default;
};

/// Requests that are no WebSocket.
struct Http {
  bool forward = true;
  Duration response_timeout{60000};
  Duration client_timeout{60000};
  bool operator==(const Http&) const = default;
};

enum class HostSource : std::uint8_t { client, upstream };

struct Headers {
  std::vector<std::string> trusted_proxies;
  HostSource upstream_host = HostSource::client;
  bool operator==(const Headers&) const = default;
};

enum class LogLevel : std::uint8_t { error, warning, info, debug };
enum class LogFormat : std::uint8_t { automatic, text, json };

struct Log {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::automatic;
  bool access = true;
  std::uint32_t access_sample = 1;  // of so many connections that ended as they should one is logged
  bool operator==(const Log&) const = default;
};

struct Sentry {
  std::string dsn;
  std::string environment = "dev";
  std::string crash_directory = "/tmp/wsproxy";  // what a crash leaves for the next start; empty: nothing
  bool operator==(const Sentry&) const = default;
};

/// Who may change the state of the process by the side port: drain it, set its log level. `hook`: this
/// machine and the pod itself, and for a GET of /drain, which is all that a preStop hook can send, anybody.
enum class AdminDrain : std::uint8_t { local, hook, any };

struct Admin {
  Address address{"127.0.0.1", 9090, {}};
  AdminDrain drain = AdminDrain::hook;
  bool operator==(const Admin&) const = default;
};

struct Config {
  std::vector<Listener> listeners{Listener{}};
  Upstream upstream;
  std::vector<Route> routes;
  Compression compression;
  Limits limits;
  Timeouts timeouts;
  Drain drain;
  WebSocket websocket;
  Http http;
  Headers headers;
  Admin admin;
  Log log;
  Sentry sentry;
  std::uint32_t workers = 0;  // 0: auto
  bool operator==(const Config&) const = default;
};

}  // namespace wsproxy::config
