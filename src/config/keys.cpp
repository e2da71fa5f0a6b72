#include "config/keys.hpp"

#include <functional>

#include "config/text_rules.hpp"

namespace wsproxy::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = 1ULL << 10;
constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kTiB = 1ULL << 40;
constexpr std::uint64_t kMostConnections = 10'000'000;
constexpr milliseconds kNone{0};
constexpr milliseconds kInstant{1};
constexpr hours kHour{1};
constexpr hours kDay{24};

class Keys final : public Section {
 public:
  explicit Keys(std::function<void(Visitor&)> members) : members_(std::move(members)) {}
  void describe(Visitor& visitor) override { members_(visitor); }

 private:
  std::function<void(Visitor&)> members_;
};

void show(Visitor& visitor, const Key& key, Scalar&& value) {
  visitor.scalar(key, value);
}

void show(Visitor& visitor, const Key& key, std::function<void(Visitor&)> members) {
  Keys keys{std::move(members)};
  visitor.section(key, keys);
}

template <class T>
class ListOf final : public SectionList {
 public:
  using Describe = void (*)(Visitor&, T&);
  ListOf(std::vector<T>& items, T blank, Describe describe_item)
      : items_(items), blank_(std::move(blank)), describe_(describe_item) {}
  std::size_t size() const override { return items_.size(); }
  void clear() override { items_.clear(); }
  void add() override { items_.push_back(blank_); }
  void describe(std::size_t index, Visitor& visitor) override { describe_(visitor, items_.at(index)); }

 private:
  std::vector<T>& items_;
  T blank_;
  Describe describe_;
};

void describe_certificate(Visitor& v, Certificate& c) {
  show(v, {"certificate", "PEM file, leaf first", true}, Text{c.certificate, path_rule()});
  show(v, {"private_key", "PEM file", true}, Text{c.private_key, path_rule()});
}

void describe_listener_tls(Visitor& v, ListenerTls& tls) {
  show(v, {"certificate", "PEM file, leaf first", true}, Text{tls.certificate, path_rule()});
  show(v, {"private_key", "PEM file", true}, Text{tls.private_key, path_rule()});
  ListOf<Certificate> additional{tls.additional, {}, describe_certificate};
  v.list({"additional", "more certificates, chosen by the name that the client asks for"}, additional);
  show(v, {"client_ca", "PEM file; set: clients must present a certificate that it signed"},
       Text{tls.client_ca, optional_path_rule()});
  show(v, {"client_auth", "optional: clients without a certificate may connect too"},
       Choice{tls.client_auth, {"required", "optional"}});
  show(
      v,
      {"client_crl", "PEM file of revocation lists, one for each authority of a client's chain; empty: none"},
      Text{tls.client_crl, optional_path_rule()});
  show(v, {"min_version", "oldest TLS version that is spoken"}, Choice{tls.min_version, {"1.2", "1.3"}});
  show(v, {"ciphers", "of TLS 1.2, as OpenSSL lists them; empty: ECDHE with AES-GCM or ChaCha20-Poly1305"},
       Text{tls.ciphers, any_text_rule()});
  show(v, {"ciphersuites", "of TLS 1.3; empty: its three with AES-GCM or ChaCha20-Poly1305"},
       Text{tls.ciphersuites, any_text_rule()});
}

class OptionalTls final : public OptionalSection {
 public:
  explicit OptionalTls(std::optional<ListenerTls>& tls) : tls_(tls) {}
  bool is_present() const override { return tls_.has_value(); }
  void create() override { tls_.emplace(); }
  void describe(Visitor& visitor) override { describe_listener_tls(visitor, *tls_); }

 private:
  std::optional<ListenerTls>& tls_;
};

void describe_listener(Visitor& v, Listener& l) {
  show(v, {"name", "label in logs and metrics; empty: the address"}, Text{l.name, any_text_rule()});
  show(v, {"address", "where clients connect; port 0 lets the system choose"}, AddressText{l.address});
  show(v, {"proxy_protocol", "expect a PROXY protocol header, v1 or v2, from a load balancer"},
       Flag{l.proxy_protocol});
  OptionalTls tls{l.tls};
  v.optional_section({"tls", "absent: ws://, present: wss://"}, tls);
}

void describe_upstream_tls(Visitor& v, UpstreamTls& tls) {
  show(v, {"ca", "PEM file of authorities; empty: the system's"}, Text{tls.ca, optional_path_rule()});
  show(v, {"server_name", "name to ask for and to verify; empty: the URL's host"},
       Text{tls.server_name, optional_host_rule()});
  show(v, {"verify", "check the app's certificate and its name"}, Flag{tls.verify});
  show(v, {"certificate", "PEM file to present to the app"}, Text{tls.certificate, optional_path_rule()});
  show(v, {"private_key", "PEM file of that certificate's key"}, Text{tls.private_key, optional_path_rule()});
}

void describe_upstream(Visitor& v, Upstream& u) {
  show(v, {"url", "the app; its path is put before the client's"}, UrlText{u.url});
  show(v, {"connect_timeout", "for connecting, retries included"}, Span{u.connect_timeout, kInstant, kHour});
  show(v, {"response_timeout", "for the app's answer to the upgrade"},
       Span{u.response_timeout, kInstant, kHour});
  show(v, {"max_connections", "to this app; 0: no limit"}, Whole{u.max_connections, 0, kMostConnections});
  show(v, {"lost_code", "close code to the client when the app vanishes"}, CloseCode{u.lost_code});
  show(v, {"proxy_protocol", "PROXY protocol header that tells the app who its client is"},
       Choice{u.proxy_protocol, {"off", "v1", "v2"}});
  show(v, {"tls", "for wss:// apps"}, [&u](Visitor& inner) { describe_upstream_tls(inner, u.tls); });
}

void describe_compression(Visitor& v, Compression& c) {
  show(v, {"enabled", "false: bytes are relayed as they are"}, Flag{c.enabled});
  show(v, {"mode", "observe: nothing is compressed for clients, a sample tells what it would save"},
       Choice{c.mode, {"compress", "observe"}});
  show(v, {"observe_every", "in that mode, of so many messages one is compressed"},
       Whole{c.observe_every, 1, 1'000'000});
  show(v, {"engine", "what compresses"}, Choice{c.engine, {"auto", "zlib", "isal"}});
  show(v, {"level", "1 is fast, 9 is small"}, Whole{c.level, 1, 9});
  show(v, {"min_size", "smaller messages go raw"}, Size{c.min_size, 0, 64 * kKiB});
  show(v, {"window_bits", "server_max_window_bits at most"}, Whole{c.window_bits, 9, 15});
  show(v, {"history", "how far back the proxy refers; auto: as far as it pays; 0: no context takeover"},
       Reach{c.history});
  show(v, {"context_takeover", "messages to a client may refer to earlier ones"}, Flag{c.context_takeover});
  show(v, {"client_window_bits", "asked of clients that let us"}, Whole{c.client_window_bits, 9, 15});
  show(v, {"client_context_takeover", "messages of a client may refer to earlier ones"},
       Flag{c.client_context_takeover});
  show(v, {"memory", "all live streams, histories and cached frames"}, Size{c.memory, kMiB, kTiB});
  show(
      v,
      {"adaptive",
       "leave alone what does not shrink, lower the level while the CPU is short; false: all but min_size is "
       "tried, at the level set"},
      Flag{c.adaptive});
}

void describe_match(Visitor& v, RouteMatch& m) {
  show(v, {"host", "host that the client asked for; may begin with *."}, Text{m.host, host_pattern_rule()});
  show(v, {"path", "prefix of the request's path"}, Text{m.path, path_prefix_rule()});
}

/// The limits that can be told once the request is known.
void describe_limits_of_route(Visitor& v, Limits& l) {
  show(v, {"max_message_size", "of a message, inflated; 0: no limit"}, Size{l.max_message_size, 0, kTiB});
  show(v, {"write_buffer", "queued for one side before the other is paused"},
       Size{l.write_buffer, 128 * kKiB, kGiB});
  show(v, {"messages_per_second", "of a client on one connection; 0: no limit"},
       Whole{l.messages_per_second, 0, kMostConnections});
  show(v, {"bytes_per_second", "of a client on one connection, inflated; 0: no limit"},
       Size{l.bytes_per_second, 0, kTiB});
  show(v, {"control_frames_per_second", "of a client on one connection; 0: no limit"},
       Whole{l.control_frames_per_second, 0, kMostConnections});
  show(v, {"rate_action", "over one of these rates: read slower, or close with 1008"},
       Choice{l.rate_action, {"slow", "close"}});
  v.texts({"allowed_origins", "Origin values that may connect, also https://*.example.org; empty: all"},
          {l.allowed_origins, origin_rule()});
}

void describe_route(Visitor& v, Route& r) {
  show(v, {"name", "label on the status page; empty: what it matches"}, Text{r.name, any_text_rule()});
  show(v, {"match", "a request must fit all that is given", true},
       [&r](Visitor& inner) { describe_match(inner, r.match); });
  show(v,
       {.name = "upstream", .meaning = "what is left out is taken from the one above", .same_as = "upstream"},
       [&r](Visitor& inner) { describe_upstream(inner, r.upstream); });
  show(v,
       {.name = "compression",
        .meaning = "what is left out is taken from the one above",
        .same_as = "compression"},
       [&r](Visitor& inner) { describe_compression(inner, r.compression); });
  show(v,
       {.name = "limits",
        .meaning = "what is left out is taken from the one above; without those that are judged before the "
                   "request is known: max_connections, the two per_ip, max_header_size",
        .same_as = "limits"},
       [&r](Visitor& inner) {
         for (const char* name : {"max_connections", "max_connections_per_ip", "handshakes_per_second_per_ip",
                                  "max_header_size"}) {
           inner.misplaced(name,
                           "is judged before the request is known, so only the limits above can have it");
         }
         describe_limits_of_route(inner, r.limits);
       });
}

void describe_limits(Visitor& v, Limits& l) {
  show(v, {"max_connections", "open connections of clients"}, Whole{l.max_connections, 1, kMostConnections});
  show(v, {"max_connections_per_ip", "of one client address; 0: no limit"},
       Whole{l.max_connections_per_ip, 0, kMostConnections});
  show(v, {"handshakes_per_second_per_ip", "WebSocket handshakes of one client address; 0: no limit"},
       Whole{l.handshakes_per_second_per_ip, 0, kMostConnections});
  show(v, {"max_header_size", "of a request's or answer's head"}, Size{l.max_header_size, kKiB, kMiB});
  describe_limits_of_route(v, l);
}

void describe_timeouts(Visitor& v, Timeouts& t) {
  show(v, {"handshake", "for the client's request head"}, Span{t.handshake, kInstant, kHour});
  show(v, {"ping_interval", "between the proxy's own pings to the client; 0: none"},
       Span{t.ping_interval, kNone, kDay});
  show(v, {"ping_timeout", "for the answer to a ping"}, Span{t.ping_timeout, kInstant, kHour});
  show(v, {"idle", "without data either way; 0: never"}, Span{t.idle, kNone, 365 * kDay});
  show(v, {"close", "for the answer to a close frame"}, Span{t.close, kInstant, kHour});
}

void describe_drain(Visitor& v, Drain& d) {
  show(v, {"delay", "not ready, still accepting: time for endpoints to update"}, Span{d.delay, kNone, kHour});
  show(v, {"spread", "close frames are spread over this time"}, Span{d.spread, kNone, kHour});
  show(v, {"timeout", "then what is left is cut"}, Span{d.timeout, kNone, kDay});
  show(v, {"close_code", "what clients are told"}, CloseCode{d.close_code});
}

void describe_http(Visitor& v, Http& h) {
  show(v, {"forward", "pass them on to the app; false: 426"}, Flag{h.forward});
  show(v, {"response_timeout", "for the head of the app's answer, or for it to take more of a request"},
       Span{h.response_timeout, kInstant, kDay});
  show(v, {"client_timeout", "for the client's next request, the rest of one, or to take more of an answer"},
       Span{h.client_timeout, kInstant, kDay});
}

void describe_headers(Visitor& v, Headers& h) {
  v.texts({"trusted_proxies", "networks whose X-Forwarded-* and Forwarded are kept"},
          {h.trusted_proxies, cidr_rule()});
  show(v, {"upstream", "what the app sees"}, [&h](Visitor& in) {
    show(in, {"host", "which Host: the client's, or that of upstream.url"},
         Choice{h.upstream_host, {"client", "upstream"}});
  });
}

void describe_log(Visitor& v, Log& l) {
  show(v, {"level", "what is logged, and all that is worse"},
       Choice{l.level, {"error", "warning", "info", "debug"}});
  show(v, {"format", "auto: text on a terminal, json elsewhere"}, Choice{l.format, {"auto", "text", "json"}});
  show(v, {"access", "one line a connection"}, Flag{l.access});
  show(v, {"access_sample", "of so many that ended as they should one is logged; all others are"},
       Whole{l.access_sample, 1, 1'000'000});
}

void describe_sentry(Visitor& v, Sentry& s) {
  show(v, {.name = "dsn", .meaning = "where errors are reported; empty: nowhere", .secret = true},
       Text{s.dsn, dsn_rule()});
  show(v, {"environment", "what the reports are labelled with"}, Text{s.environment, any_text_rule()});
  show(v, {"crash_directory", "where a crash is kept until the next start reports it; empty: nowhere"},
       Text{s.crash_directory, optional_path_rule()});
}

}  // namespace

void describe(Visitor& v, Config& c) {
  ListOf<Listener> listeners{c.listeners, {}, describe_listener};
  v.list({.name = "listeners", .meaning = "where clients connect", .needs_items = true}, listeners);
  show(v, {"upstream", "the app behind the proxy"}, [&c](Visitor& in) { describe_upstream(in, c.upstream); });
  show(v, {"compression", "permessage-deflate on the client's side"},
       [&c](Visitor& in) { describe_compression(in, c.compression); });
  show(v, {"limits", "what one client or message may take"},
       [&c](Visitor& in) { describe_limits(in, c.limits); });
  // After the three sections that a route's own start from.
  ListOf<Route> routes{c.routes, {{}, c.upstream, c.compression, c.limits}, describe_route};
  v.list({"routes", "other apps by host and path; the first match wins, else the upstream above"}, routes);
  show(v, {"timeouts", "how long to wait"}, [&c](Visitor& in) { describe_timeouts(in, c.timeouts); });
  show(v, {"drain", "how the proxy stops"}, [&c](Visitor& in) { describe_drain(in, c.drain); });
  show(v, {"websocket", "how messages are relayed"}, [&c](Visitor& in) {
    show(in, {"validate_utf8", "check text that arrives uncompressed; what is inflated always is"},
         Flag{c.websocket.validate_utf8});
  });
  show(v, {"http", "requests that are no WebSocket"}, [&c](Visitor& in) { describe_http(in, c.http); });
  show(v, {"headers", "what to believe and what the app sees"},
       [&c](Visitor& in) { describe_headers(in, c.headers); });
  show(v, {"admin", "the side port"}, [&c](Visitor& in) {
    show(in, {"address", "health, metrics and status"}, AddressText{c.admin.address});
    show(in,
         {"drain",
          "who may drain and set the log level: local, hook (local, and anybody by GET /drain, as a preStop "
          "hook "
          "does), any"},
         Choice{c.admin.drain, {"local", "hook", "any"}});
  });
  show(v, {"log", "what the proxy tells"}, [&c](Visitor& in) { describe_log(in, c.log); });
  show(v, {"sentry", "error reports"}, [&c](Visitor& in) { describe_sentry(in, c.sentry); });
  show(v, {"workers", "threads; auto: the CPU quota, rounded up"}, Whole{c.workers, "auto", 1, 256});
}

std::string join_path(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "." + name;
}

}  // namespace wsproxy::config
