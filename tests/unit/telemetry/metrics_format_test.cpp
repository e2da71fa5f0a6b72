#include "telemetry/metrics_format.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace wsproxy::telemetry;

namespace {

bool gets_open_metrics(std::string_view accept) {
  return format_for(accept) == MetricsFormat::open_metrics;
}

}  // namespace

TEST_CASE("Prometheus gets OpenMetrics by the headers that it sends") {
  const std::string_view sent = GENERATE(
      // 2.42, as Debian has it
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      // 2.49 and later, and with native histograms
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
      "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
      "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      // 3
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
      "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
      "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,"
      "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=underscores;q=0.3,"
      "text/plain;version=0.0.4;q=0.2,*/*;q=0.1");
  CAPTURE(sent);
  CHECK(gets_open_metrics(sent));
}

TEST_CASE("Prometheus that was configured for text first gets text") {
  CHECK_FALSE(
      gets_open_metrics("text/plain;version=0.0.4;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                        "application/openmetrics-text;version=0.0.1;q=0.3,*/*;q=0.2"));
}

TEST_CASE("who does not ask for OpenMetrics by name or by preference gets text") {
  const std::string_view accept =
      GENERATE("", "   ", "*/*", "text/plain", "text/*", "application/json", "nonsense", "/", ";", ",,,",
               "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/*, */*",
               "application/openmetrics-text2", "application/openmetrics-text; version=2.0.0",
               "application/openmetrics-text; version=0.0.1", "openmetrics-text", "*/openmetrics-text");
  CAPTURE(accept);
  CHECK_FALSE(gets_open_metrics(accept));
}

TEST_CASE("RFC 9110 12.5.1: names are compared without case, spaces do not matter, the version may lack") {
  CHECK(gets_open_metrics("application/openmetrics-text"));
  CHECK(gets_open_metrics("Application/OpenMetrics-Text ; Version=1.0.0 ;\tCHARSET=UTF-8"));
  CHECK(gets_open_metrics("application/openmetrics-text; version=\"1.0.0\""));
  CHECK(gets_open_metrics("application/*, text/plain;q=0.9"));
  CHECK_FALSE(gets_open_metrics("application/openmetrics-text; charset=latin-1"));
}

TEST_CASE("RFC 9110 12.5.1: the higher quality wins, of equal ones OpenMetrics if it is named") {
  CHECK(gets_open_metrics("text/plain;q=0.5, application/openmetrics-text;q=0.501"));
  CHECK_FALSE(gets_open_metrics("text/plain;q=0.501, application/openmetrics-text;q=0.5"));
  CHECK(gets_open_metrics("text/plain, application/openmetrics-text"));
  CHECK(gets_open_metrics("application/openmetrics-text, */*"));
  CHECK_FALSE(gets_open_metrics("application/*;q=0.5, text/*;q=0.5"));
}

TEST_CASE("RFC 9110 12.5.1: the closest range counts, wherever it stands") {
  CHECK_FALSE(gets_open_metrics("application/openmetrics-text;q=0.1, */*;q=0.9"));
  CHECK_FALSE(gets_open_metrics("*/*;q=0.9, application/openmetrics-text;q=0.1"));
  CHECK_FALSE(
      gets_open_metrics("application/openmetrics-text;q=1, application/openmetrics-text;version=1.0.0;q=0.1, "
                        "text/plain;q=0.5"));
  CHECK(gets_open_metrics("application/openmetrics-text;q=0.2, text/*;q=0.9, text/plain;q=0.1"));
}

TEST_CASE("RFC 9110 12.4.2: quality 0 is a refusal, and a malformed one makes its element none") {
  CHECK_FALSE(gets_open_metrics("application/openmetrics-text;q=0, */*;q=0.1"));
  CHECK_FALSE(gets_open_metrics("application/openmetrics-text;q=0.000"));
  CHECK(gets_open_metrics("application/openmetrics-text;q=1.000, text/plain;q=0.999"));
  for (const char* quality :
       {"", "2", "1.001", "0.1234", "0,5", ".5", "0.x", "-1", "1e3", "01", "0.5.5", "nan"}) {
    CAPTURE(quality);
    CHECK_FALSE(gets_open_metrics(std::string{"application/openmetrics-text;q="} + quality));
  }
}

TEST_CASE("RFC 9110 5.6.6: a quoted value may hold separators, and one without an end takes the rest") {
  CHECK(gets_open_metrics(R"(text/html;title="a,\"b;c", application/openmetrics-text)"));
  CHECK_FALSE(gets_open_metrics(R"(text/html;title="a, application/openmetrics-text)"));
  CHECK_FALSE(gets_open_metrics(R"(text/html;title="a\)"));
  CHECK_FALSE(gets_open_metrics(R"(text/html;title=", application/openmetrics-text;q=1")"));
}

TEST_CASE("the content types say format, version and charset") {
  CHECK(content_type_of(MetricsFormat::open_metrics) ==
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
  CHECK(content_type_of(MetricsFormat::prometheus_text) == "text/plain; version=0.0.4; charset=utf-8");
}
