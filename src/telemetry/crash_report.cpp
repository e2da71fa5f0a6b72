#include "telemetry/crash_report.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

namespace wsproxy::telemetry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostFrames = 256;
constexpr std::size_t kMostTextBytes = 256;

/// Of what stands behind 0x; 0 for anything else.
std::uint64_t hexadecimal(std::string_view text) {
  if (!text.starts_with("0x")) return 0;
  std::uint64_t number = 0;
  std::from_chars(text.data() + 2, text.data() + text.size(), number, 16);
  return number;
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>().substr(0, kMostTextBytes);
}

std::int64_t number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

const Json& list_of(const Json& object, const char* key) {
  static const Json none = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : none;
}

CrashFrame frame_of(std::string_view text) {
  const auto plus = text.rfind('+');
  if (plus == std::string_view::npos) return {"?", 0};
  return {std::string{text.substr(0, plus)}.substr(0, kMostTextBytes), hexadecimal(text.substr(plus + 1))};
}

ProgramImage image_of(const Json& image) {
  return {text_of(image, "name"), hexadecimal(text_of(image, "base")), hexadecimal(text_of(image, "size")),
          text_of(image, "build_id")};
}

}  // namespace

std::optional<CrashReport> parse_crash_report(std::string_view json) {
  const Json read = Json::parse(json, nullptr, false);
  if (!read.is_object() || text_of(read, "signal").empty()) return std::nullopt;
  CrashReport report;
  report.time = text_of(read, "time");
  report.signal = text_of(read, "signal");
  report.number = number_of(read, "number");
  report.code = number_of(read, "code");
  report.address = text_of(read, "address");
  report.reason = text_of(read, "reason");
  report.thread = text_of(read, "thread");
  report.thread_id = number_of(read, "thread_id");
  report.version = text_of(read, "version");
  report.build_id = text_of(read, "build_id");
  for (const Json& frame : list_of(read, "backtrace")) {
    if (!frame.is_string() || report.frames.size() == kMostFrames) break;
    report.frames.push_back(frame_of(frame.get_ref<const std::string&>()));
  }
  for (const Json& image : list_of(read, "images")) {
    if (!image.is_object() || report.images.size() == kMostFrames) break;
    report.images.push_back(image_of(image));
  }
  return report;
}

}  // namespace wsproxy::telemetry
