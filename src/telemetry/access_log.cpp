#include "telemetry/access_log.hpp"

#include <cmath>
#include <span>
#include <vector>

namespace wsproxy::telemetry {
namespace {

constexpr std::uint16_t kSwitchingProtocols = 101;
constexpr std::uint16_t kFirstServerError = 500;
// RFC 6455 section 7.4.1.
constexpr std::uint16_t kNormal = 1000;
constexpr std::uint16_t kGoingAway = 1001;
constexpr std::uint16_t kNoCode = 1005;

// By ClosedBy.
constexpr std::array<std::string_view, 4> kClosers{"client", "app", "proxy", "operator"};

/// Rounded, so that lines stay short.
double thousandths(double value) {
  return std::round(value * 1000) / 1000;
}

/// The fields of one line, in order.
class Fields {
 public:
  Fields() { fields_.reserve(kMostFields); }
  template <typename T>
  void add(std::string_view key, const T& value) {
    fields_.emplace_back(key, value);
  }
  void add_unless_empty(std::string_view key, std::string_view value) {
    if (!value.empty()) add(key, value);
  }
  void add_if_known(std::string_view key, const std::optional<std::uint64_t>& value) {
    if (value) add(key, *value);
  }
  std::span<const LogField> view() const { return fields_; }

 private:
  static constexpr std::size_t kMostFields = 26;
  std::vector<LogField> fields_;
};

void add_traffic(Fields& fields, const AccessRecord& record) {
  const auto& to_app = record.traffic[index(Direction::to_app)];
  const auto& to_client = record.traffic[index(Direction::to_client)];
  fields.add("messages_to_app", to_app.messages);
  fields.add("messages_to_client", to_client.messages);
  fields.add("payload_bytes_to_app", to_app.payload_bytes);
  fields.add("payload_bytes_to_client", to_client.payload_bytes);
  fields.add("wire_bytes_to_app", to_app.wire_bytes);
  fields.add("wire_bytes_to_client", to_client.wire_bytes);
  const auto add_ratio = [&fields](std::string_view key, const AccessTraffic& traffic) {
    if (traffic.payload_bytes == 0) return;
    fields.add(key, thousandths(static_cast<double>(traffic.wire_bytes) /
                                static_cast<double>(traffic.payload_bytes)));
  };
  add_ratio("ratio_to_app", to_app);
  add_ratio("ratio_to_client", to_client);
}

}  // namespace

std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  if (target.starts_with('/')) return target;
  const auto scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return target;
  const auto path = target.find('/', scheme_end + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

bool ended_as_it_should(const AccessRecord& record) {
  if (record.closed_by == ClosedBy::proxy) return false;
  if (record.status != kSwitchingProtocols) {
    return record.is_complete && record.cause.empty() && record.status < kFirstServerError;
  }
  return record.close_code == kNormal || record.close_code == kGoingAway || record.close_code == kNoCode;
}

void write_access(Log& log, const AccessRecord& record) {
  if (!log.enabled(Level::info)) return;
  Fields fields;
  fields.add_unless_empty("client", record.client);
  fields.add_unless_empty("listener", record.listener);
  fields.add_unless_empty("method", record.method);
  fields.add_unless_empty("path", path_of(record.target));
  fields.add("status", record.status);
  fields.add_unless_empty("subprotocol", record.subprotocol);
  fields.add_unless_empty("extension", record.extension);
  fields.add_unless_empty("request_id", record.request_id);
  fields.add_unless_empty("traceparent", record.traceparent);
  fields.add_unless_empty("user_agent", record.user_agent);
  fields.add_unless_empty("upstream", record.upstream);
  fields.add_if_known("request_bytes", record.request_bytes);
  fields.add_if_known("response_bytes", record.response_bytes);
  if (record.status == kSwitchingProtocols) {
    add_traffic(fields, record);
    fields.add("close_code", record.close_code);
  }
  fields.add("duration_seconds", thousandths(std::chrono::duration<double>(record.duration).count()));
  if (!record.is_complete || !record.cause.empty()) {
    fields.add("closed_by", kClosers[static_cast<std::size_t>(record.closed_by)]);
  }
  fields.add_unless_empty("cause", record.cause);
  if (record.sample > 1) fields.add("sample", record.sample);
  log.write(Level::info, "access", fields.view());
}

}  // namespace wsproxy::telemetry
