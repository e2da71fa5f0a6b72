#include "telemetry/open_metrics.hpp"

#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "telemetry/exporter.hpp"
#include "telemetry/metric_family.hpp"

using namespace wsproxy::telemetry;
using prometheus::MetricType;

namespace {

constexpr std::array<std::uint64_t, 3> kBounds{1, 10'000, 2'000'000};

/// The line of the only sample of a gauge.
std::string sample_of(double value) {
  const auto text = write_open_metrics({make_gauge("g", "", value)});
  const auto begin = text.find("\ng ") + 3;
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

TEST_CASE("a counter's family is named without _total, its samples with it") {
  auto family = make_family(MetricType::Counter, "things_total", "What was made.");
  add_counter(family, {{"kind", "a"}, {"size", "b"}}, 3);
  CHECK(write_open_metrics({family}) ==
        "# TYPE things counter\n"
        "# HELP things What was made.\n"
        "things_total{kind=\"a\",size=\"b\"} 3\n"
        "# EOF\n");
}

TEST_CASE("seconds and bytes are told as units, of the family's name") {
  const auto text =
      write_open_metrics({make_counter("used_bytes_total", "Used.", 1.5),
                          make_gauge("age_seconds", "Age.", 2), make_gauge("level", "Level.", 4)});
  CHECK(text ==
        "# TYPE used_bytes counter\n# UNIT used_bytes bytes\n# HELP used_bytes Used.\nused_bytes_total 1.5\n"
        "# TYPE age_seconds gauge\n# UNIT age_seconds seconds\n# HELP age_seconds Age.\nage_seconds 2\n"
        "# TYPE level gauge\n# HELP level Level.\nlevel 4\n"
        "# EOF\n");
}

TEST_CASE("a histogram has canonical bounds, +Inf, count and sum") {
  Histogram<kBounds> histogram;
  histogram.observe(1);
  histogram.observe(500, 2);
  histogram.observe(3'000'000);
  auto family = make_family(MetricType::Histogram, "took", "Time.");
  add_histogram(family, {{"side", "app"}}, histogram, 1);
  CHECK(write_open_metrics({family}) ==
        "# TYPE took histogram\n"
        "# HELP took Time.\n"
        "took_bucket{side=\"app\",le=\"1.0\"} 1\n"
        "took_bucket{side=\"app\",le=\"10000.0\"} 3\n"
        "took_bucket{side=\"app\",le=\"2e+06\"} 3\n"
        "took_bucket{side=\"app\",le=\"+Inf\"} 4\n"
        "took_count{side=\"app\"} 4\n"
        "took_sum{side=\"app\"} 3001001\n"
        "# EOF\n");
}

TEST_CASE("bounds are written as every other exporter writes them") {
  const auto bound = [](double value) {
    auto family = make_family(MetricType::Histogram, "h", "");
    prometheus::ClientMetric metric;
    metric.histogram.bucket.push_back({0, value});
    family.metric.push_back(metric);
    const auto text = write_open_metrics({family});
    const auto begin = text.find("le=\"") + 4;
    return text.substr(begin, text.find('"', begin) - begin);
  };
  CHECK(bound(0) == "0.0");
  CHECK(bound(1e-5) == "1e-05");
  CHECK(bound(2.5e-5) == "2.5e-05");
  CHECK(bound(1e-4) == "0.0001");
  CHECK(bound(0.25) == "0.25");
  CHECK(bound(5) == "5.0");
  CHECK(bound(262144) == "262144.0");
  CHECK(bound(1e6) == "1e+06");
  CHECK(bound(1048576) == "1.048576e+06");
  CHECK(bound(16777216) == "1.6777216e+07");
}

TEST_CASE("whole values are written whole, others in their shortest form") {
  CHECK(sample_of(0) == "0");
  CHECK(sample_of(-3) == "-3");
  CHECK(sample_of(123456789012) == "123456789012");
  CHECK(sample_of(1700000000.5) == "1.7000000005e+09");
  CHECK(sample_of(0.1) == "0.1");
  CHECK(sample_of(0x1p64) == "1.8446744073709552e+19");
  CHECK(sample_of(std::numeric_limits<double>::infinity()) == "+Inf");
  CHECK(sample_of(-std::numeric_limits<double>::infinity()) == "-Inf");
  CHECK(sample_of(std::nan("")) == "NaN");
}

TEST_CASE("neither a label nor a help text can break out of its line") {
  auto family = make_family(MetricType::Gauge, "g", "one\ntwo \"three\" \\ four");
  add_gauge(family, {{"name", "a\"b\\c\nd"}}, 1);
  CHECK(write_open_metrics({family}) ==
        "# TYPE g gauge\n"
        "# HELP g one\\ntwo \\\"three\\\" \\\\ four\n"
        "g{name=\"a\\\"b\\\\c\\nd\"} 1\n"
        "# EOF\n");
}

TEST_CASE("what is rendered is the format that was asked for, and OpenMetrics ends with its mark") {
  Snapshot snapshot;
  snapshot.counters.listeners["public"] = {};
  const auto text = render(snapshot);
  const auto open_metrics = render(snapshot, MetricsFormat::open_metrics);
  CHECK(text.find("# TYPE wsproxy_messages_total counter\n") != std::string::npos);
  CHECK(text.find("# EOF") == std::string::npos);
  CHECK(open_metrics.find("# TYPE wsproxy_messages counter\n") != std::string::npos);
  CHECK(open_metrics.ends_with("\n# EOF\n"));
  const auto samples = [](const std::string& in) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < in.size(); at = in.find('\n', at) + 1) count += in[at] == '#' ? 0 : 1;
    return count;
  };
  CHECK(samples(open_metrics) == samples(text));
}
