#include "telemetry/sentry_envelope.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "telemetry/utc_time.hpp"

namespace wsproxy::telemetry {
namespace {

using Json = nlohmann::ordered_json;

#if defined(__x86_64__)
constexpr const char* kArchitecture = "x86_64";
#elif defined(__aarch64__)
constexpr const char* kArchitecture = "arm64";
#else
constexpr const char* kArchitecture = "unknown";
#endif

/// What is searched for; the other fields are for reading.
bool is_tag(std::string_view field) {
  return field == "listener" || field == "upstream";
}

std::string time_text(std::chrono::system_clock::time_point time) {
  const auto text = utc_text(time);
  return {text.data(), text.size()};
}

/// On one line; what is not UTF-8 becomes U+FFFD.
std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string address_text(std::uint64_t address) {
  return fmt::format("{:#x}", address);
}

Json json_of(const SentryValue& value) {
  return std::visit([](const auto& one) { return Json(one); }, value);
}

/// Sentry wants who began first and where it happened last.
Json frames_of(const CrashReport& crash) {
  Json frames = Json::array();
  for (auto frame = crash.frames.rbegin(); frame != crash.frames.rend(); ++frame) {
    const auto image = std::ranges::find(crash.images, frame->image, &ProgramImage::name);
    const std::uint64_t base = image != crash.images.end() ? image->base : 0;
    Json one{{"instruction_addr", address_text(base + frame->offset)}};
    if (image != crash.images.end()) {
      one["package"] = image->name;
      one["in_app"] = image->build_id == crash.build_id;
    }
    frames.push_back(std::move(one));
  }
  return frames;
}

Json images_of(const CrashReport& crash) {
  Json images = Json::array();
  for (const ProgramImage& image : crash.images) {
    Json one{{"type", "elf"},
             {"code_file", image.name},
             {"image_addr", address_text(image.base)},
             {"image_size", image.size},
             {"arch", kArchitecture}};
    const std::string debug_id = sentry_debug_id(image.build_id);
    if (!debug_id.empty()) {
      one["code_id"] = image.build_id;
      one["debug_id"] = debug_id;
    }
    images.push_back(std::move(one));
  }
  return images;
}

void add_crash(Json& json, const CrashReport& crash) {
  const std::string value = crash.reason.empty() ? "address " + crash.address : crash.reason;
  const Json signal{{"number", crash.number}, {"code", crash.code}, {"name", crash.signal}};
  json["exception"]["values"] = Json::array({{{"type", crash.signal},
                                              {"value", value},
                                              {"thread_id", crash.thread_id},
                                              {"mechanism",
                                               {{"type", "signalhandler"},
                                                {"handled", false},
                                                {"synthetic", true},
                                                {"meta", {{"signal", signal}}}}},
                                              {"stacktrace", {{"frames", frames_of(crash)}}}}});
  json["threads"]["values"] =
      Json::array({{{"id", crash.thread_id}, {"name", crash.thread}, {"crashed", true}, {"current", true}}});
  json["debug_meta"]["images"] = images_of(crash);
}

void add_error(Json& json, const SentryEvent& event) {
  json["logentry"] = {{"message", event.message}, {"formatted", event.message}};
  json["fingerprint"] = Json::array({event.message});
  for (const auto& [key, value] : event.fields) json[is_tag(key) ? "tags" : "extra"][key] = json_of(value);
}

Json sdk_of(const SentrySource& source) {
  return {{"name", "wsproxy"}, {"version", source.version}};
}

Json json_of(const SentryEvent& event, const SentrySource& source) {
  const CrashReport* crash = event.crash ? &*event.crash : nullptr;
  Json json{{"event_id", event.id},
            {"timestamp", crash != nullptr ? crash->time : time_text(event.time)},
            {"platform", "native"},
            {"level", crash != nullptr ? "fatal" : "error"},
            {"logger", "wsproxy"},
            {"release", "wsproxy@" + (crash != nullptr ? crash->version : source.version)},
            {"environment", source.environment},
            {"server_name", source.server_name},
            {"sdk", sdk_of(source)},
            {"tags", {{"build_id", crash != nullptr ? crash->build_id : source.build_id}}}};
  if (crash != nullptr) {
    add_crash(json, *crash);
  } else {
    add_error(json, event);
  }
  return json;
}

void append_item(std::string& envelope, const char* type, const Json& item) {
  const std::string text = line(item);
  envelope += line({{"type", type}, {"content_type", "application/json"}, {"length", text.size() - 1}});
  envelope += text;
}

}  // namespace

std::string sentry_debug_id(const std::string& build_id) {
  const bool is_hexadecimal = build_id.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (build_id.size() < 32 || !is_hexadecimal) return {};
  std::string id;
  // By pairs of digits; -1 is a dash.
  for (const int pair : {3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15}) {
    id += pair < 0 ? "-" : build_id.substr(static_cast<std::size_t>(pair) * 2, 2);
  }
  return id;
}

std::string sentry_envelope(const SentryEvent& event, const SentrySource& source,
                            std::chrono::system_clock::time_point now, std::uint64_t discarded) {
  std::string envelope = line(
      {{"event_id", event.id}, {"dsn", source.dsn}, {"sent_at", time_text(now)}, {"sdk", sdk_of(source)}});
  append_item(envelope, "event", json_of(event, source));
  if (discarded > 0) {
    const Json lost{{"reason", "queue_overflow"}, {"category", "error"}, {"quantity", discarded}};
    append_item(envelope, "client_report",
                {{"timestamp", time_text(now)}, {"discarded_events", Json::array({lost})}});
  }
  return envelope;
}

}  // namespace wsproxy::telemetry
