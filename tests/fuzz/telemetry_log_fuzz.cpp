// What peers say in what we write about them: a message and fields of any bytes, and the record of a
// connection. A line of JSON is one object that a strict reader takes, with each text's characters in it; a
// line of text has nothing that ends it, drives a terminal or is no UTF-8; an event for Sentry is an envelope
// of whole lines.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/escape.hpp"
#include "telemetry/log_line.hpp"
#include "telemetry/sentry_envelope.hpp"

namespace {

using namespace wsproxy;
using namespace wsproxy::telemetry;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// RFC 8259, strictly, without a tree.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : left_(text) {}
  bool is_one_value() { return value() && left_.empty(); }

 private:
  bool take(std::string_view what) {
    if (!left_.starts_with(what)) return false;
    left_.remove_prefix(what.size());
    return true;
  }
  bool value() {
    if (left_.starts_with('{')) return list('{', '}', true);
    if (left_.starts_with('[')) return list('[', ']', false);
    if (left_.starts_with('"')) return string();
    return take("true") || take("false") || take("null") || number();
  }
  bool list(char open, char close, bool has_keys) {
    if (!take({&open, 1})) return false;
    if (take({&close, 1})) return true;
    do {
      if (has_keys && !(string() && take(":"))) return false;
      if (!value()) return false;
    } while (take(","));
    return take({&close, 1});
  }
  bool string() {
    if (!take("\"")) return false;
    while (!left_.empty() && !left_.starts_with('"')) {
      const auto c = static_cast<unsigned char>(left_.front());
      if (c < 0x20) return false;
      left_.remove_prefix(1);
      if (c == '\\' && !escape()) return false;
    }
    return take("\"");
  }
  bool escape() {
    if (left_.empty()) return false;
    const char kind = left_.front();
    left_.remove_prefix(1);
    if (kind != 'u') return std::string_view{"\"\\/bfnrt"}.find(kind) != std::string_view::npos;
    const std::string_view digits = left_.substr(0, 4);
    left_.remove_prefix(digits.size());
    return digits.size() == 4 && digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  }
  bool digits() {
    const std::size_t count = std::min(left_.find_first_not_of("0123456789"), left_.size());
    left_.remove_prefix(count);
    return count > 0;
  }
  bool number() {
    take("-");
    if (!take("0") && !digits()) return false;
    if (take(".") && !digits()) return false;
    if (!take("e") && !take("E")) return true;
    if (!take("+")) take("-");
    return digits();
  }

  std::string_view left_;
};

void check_json(std::string_view line) {
  require(base::is_utf8(line), "JSON is UTF-8");
  require(line.find('\n') == std::string_view::npos, "a line is one line");
  require(JsonReader{line}.is_one_value(), "JSON is JSON");
}

void check_text(std::string_view line) {
  require(base::is_utf8(line), "a line of text is UTF-8");
  for (std::string_view left = line; !left.empty();) {
    const auto [point, length] = base::first_character(left);
    require(point >= 0x20 && (point < 0x7F || point >= 0xA0), "no control character is in a line");
    require(point != 0x2028 && point != 0x2029 && !(point >= 0x202A && point <= 0x202E),
            "nothing reorders a line");
    left.remove_prefix(length);
  }
}

/// What a reader of JSON makes of a string of ours, for the characters that are written as they are.
void check_string(std::string_view text) {
  std::string written;
  append_json_string(written, text);
  check_json(written);
  if (!base::is_utf8(text)) return;
  std::string read;
  for (std::size_t i = 1; i + 1 < written.size(); ++i) {
    if (written[i] != '\\') {
      read += written[i];
      continue;
    }
    const char kind = written[++i];
    if (kind != 'u') {
      read += kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind == 't' ? '\t' : kind;
      continue;
    }
    const auto point = static_cast<unsigned>(std::strtoul(written.substr(i + 1, 4).c_str(), nullptr, 16));
    i += 4;
    if (point < 0x80) {
      read += static_cast<char>(point);
    } else if (point < 0x800) {
      read += {static_cast<char>(0xC0U | point >> 6U), static_cast<char>(0x80U | (point & 0x3FU))};
    } else {
      read += {static_cast<char>(0xE0U | point >> 12U), static_cast<char>(0x80U | (point >> 6U & 0x3FU)),
               static_cast<char>(0x80U | (point & 0x3FU))};
    }
  }
  require(read == text, "a string comes back as it was");
}

void check_access(const std::array<std::string_view, 4>& texts, LogFormat format) {
  std::string line;
  {
    Log log{{.format = format,
             .sink = [&line](std::string_view written) { line += written; },
             .clock = {},
             .queue_lines = 4}};
    AccessRecord record;
    record.client = "192.0.2.1:1";
    record.method = texts[0];
    record.target = texts[1];
    record.status = 101;
    record.subprotocol = texts[2];
    record.user_agent = texts[3];
    record.request_id = texts[0];
    record.traceparent = texts[1];
    record.cause = "end of file";
    write_access(log, record);
  }
  require(!line.empty(), "a connection is told of");
  format == LogFormat::json ? check_json(line) : check_text(line);
}

void check_envelope(const LogLine& line) {
  SentryEvent event = sentry_event(line);
  event.id = std::string(32, 'a');
  const SentrySource source{"https://key@sentry.example/1", "1.0", "", std::string{line.message}, "host"};
  std::string_view left;
  const std::string envelope = sentry_envelope(event, source, line.time, 3);
  left = envelope;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    check_json(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view left{reinterpret_cast<const char*>(data) + 2, size - 2};
  std::array<std::string_view, 4> texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts.at(i) = left.substr(0, left.size() / (texts.size() - i));
    left.remove_prefix(texts.at(i).size());
  }
  const double number = (data[0] & 1) != 0
                            ? std::numeric_limits<double>::quiet_NaN()
                            : static_cast<double>(data[0]) / (static_cast<double>(data[1]) - 7.0);
  const std::array fields{LogField{"target", texts[0]},
                          LogField{"user_agent", texts[1]},
                          LogField{"cause", texts[2]},
                          LogField{"seconds", number},
                          LogField{"count", size},
                          LogField{"error", texts[3]},
                          LogField{"difference", -1 - int{data[0]}},
                          LogField{"is_so", data[1] > 7}};
  const LogLine line{std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000} +
                                                           std::chrono::milliseconds{data[1]}},
                     Level::warning, texts[3], fields};
  const std::string json = json_line(line);
  const std::string text = text_line(line);
  check_json(json);
  check_text(text);
  require(json.size() <= 6 * (4 * kMaxLogValueBytes + texts[3].size() + 1024),
          "a line is bounded by its texts");
  for (const std::string_view each : texts) check_string(each);
  // A log has a thread, which takes longer than all the rest.
  if (data[1] % 8 == 7) check_access(texts, (data[0] & 2) != 0 ? LogFormat::json : LogFormat::text);
  check_envelope(line);
  return 0;
}
