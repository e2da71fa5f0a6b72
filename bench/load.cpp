/// The load generator: opens WebSockets to a port, sends prepared messages, checks every answer and
/// says how long it took. It prints one line of JSON when it is connected, warm and done, and goes on
/// after each when a line comes on its standard input (or that is at its end): the moments for
/// whoever measures the proxy to look at it.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include "echo_load.hpp"
#include "feed_load.hpp"
#include "handshake_load.hpp"

namespace bench {
namespace {

void await_go_ahead() {
  std::string line;
  std::getline(std::cin, line);
}

void report_phase(const char* phase) {
  std::printf("{\"phase\": \"%s\"}\n", phase);
  std::fflush(stdout);
  await_go_ahead();
}

double percentile_us(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[at]) / 1000;
}

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void report_result(Result result, bool is_compressed, double cpu_seconds) {
  std::sort(result.latencies_ns.begin(), result.latencies_ns.end());
  std::sort(result.lateness_ns.begin(), result.lateness_ns.end());
  const auto& latencies = result.latencies_ns;
  // Handshakes have no payload.
  const double payload = static_cast<double>(std::max<std::uint64_t>(result.payload_bytes, 1));
  std::printf(
      "{\"phase\": \"done\", \"compressed\": %s, \"messages\": %llu, \"seconds\": %.6f, \"payload_bytes\": "
      "%llu, "
      "\"received_per_payload\": %.4f, \"sent_per_payload\": %.4f, \"p50_us\": %.1f, \"p90_us\": %.1f, "
      "\"p99_us\": %.1f, \"max_us\": %.1f, \"late_p99_us\": %.1f, \"generator_cpu_seconds\": %.3f, "
      "\"storm_handshakes\": %llu, \"tls\": \"%s\"}\n",
      is_compressed ? "true" : "false", static_cast<unsigned long long>(result.messages), result.seconds,
      static_cast<unsigned long long>(result.payload_bytes),
      static_cast<double>(result.received_bytes) / payload, static_cast<double>(result.sent_bytes) / payload,
      percentile_us(latencies, 0.5), percentile_us(latencies, 0.9), percentile_us(latencies, 0.99),
      percentile_us(latencies, 1), percentile_us(result.lateness_ns, 0.99), cpu_seconds,
      static_cast<unsigned long long>(result.storm_handshakes), result.tls.c_str());
  std::fflush(stdout);
  await_go_ahead();
}

/// What is not in LoadOptions as it was written.
struct Words {
  std::string kind = "chat";
  bool has_tls = false;
  std::string ca_file;
};

void add_load_options(CLI::App& command, LoadOptions& options, Words& words) {
  command.add_option("--port", options.server.port, "Port on 127.0.0.1 to connect to")->required();
  command.add_option("--app-port", options.app_port, "The app's own port, for publishers of feeds");
  command.add_option("--kind", words.kind, "Payloads: chat, state, doc, random, large")
      ->capture_default_str();
  command.add_flag("--deflate", options.offers_deflate, "Offer permessage-deflate; client_max_window_bits");
  command.add_option("--connections", options.connections)->capture_default_str()->check(CLI::PositiveNumber);
  command.add_option("--warmup", options.warmup, "Messages of each connection before the measured ones")
      ->capture_default_str();
  command
      .add_option("--messages", options.messages,
                  "Measured messages of each connection; broadcasts of a feed")
      ->capture_default_str();
  command.add_option("--depth", options.depth, "Messages on the way at a time on a connection")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--rate", options.rate, "Messages a second in total; 0: as fast as answers come");
  command.add_option("--feeds", options.feeds, "Feeds that the connections subscribe to; 0: echo");
  command.add_flag("--handshakes", options.is_handshakes,
                   "No messages: each of the connections is opened, upgraded and closed that many times");
  command.add_option("--private-share", options.private_share,
                     "Private messages a subscriber for each broadcast");
  command.add_option("--seed", options.seed)->capture_default_str();
}

void add_tls_options(CLI::App& command, LoadOptions& options, Words& words) {
  command.add_flag("--tls", words.has_tls, "Connect over TLS; every handshake is a full one");
  command
      .add_option("--ca", words.ca_file,
                  "PEM file that the server's certificate must come from; else it is not verified")
      ->needs("--tls");
  command
      .add_option("--storm", options.storm, "TLS handshakes a second that others make meanwhile and hang up")
      ->needs("--tls", "--rate")
      ->check(CLI::NonNegativeNumber);
}

LoadOptions read_options(int argc, char** argv) {
  LoadOptions options;
  Words words;
  CLI::App command{"Load for a WebSocket echo or feed, with every answer checked", "bench_load"};
  // A later word wins, so that a row of a table can differ from its load in one option.
  command.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_load_options(command, options, words);
  add_tls_options(command, options, words);
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(command.exit(error) == 0 ? 0 : 2);
  }
  const auto known = kind_from(words.kind);
  if (!known) throw std::invalid_argument("unknown kind of payload: " + words.kind);
  options.kind = *known;
  if (words.has_tls) options.server.tls = std::make_shared<const TlsClient>(words.ca_file);
  return options;
}

void run(const LoadOptions& options) {
  std::unique_ptr<Load> load;
  if (options.is_handshakes)
    load = std::make_unique<HandshakeLoad>(options);
  else if (options.feeds > 0)
    load = std::make_unique<FeedLoad>(options);
  else
    load = std::make_unique<EchoLoad>(options);
  load->connect();
  report_phase("connected");
  load->warm_up();
  report_phase("warm");
  const double cpu_before = own_cpu_seconds();
  Result result = load->run();
  report_result(std::move(result), load->is_compressed(), own_cpu_seconds() - cpu_before);
  load->disconnect();
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  // OpenSSL writes to sockets whose peer may be gone.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    bench::run(bench::read_options(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_load: " << error.what() << '\n';
    return 1;
  }
}
