#include "cli/tune_text.hpp"

#include <fmt/format.h>

namespace wsproxy::cli {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string megabytes(double bytes) {
  return fmt::format("{:.1f} MB", bytes / 1e6);
}

}  // namespace

std::string tune_yaml(const Figures& figures, const Recommendation& advice) {
  std::string text =
      fmt::format("# {:.0f} messages to clients with {} of payload, {:.1f} s, {:.0f} connections\n",
                  figures.messages, megabytes(figures.payload_bytes), figures.seconds, figures.connections);
  if (!advice.is_enough) return text + "# not enough traffic to tell\n";
  const Expectation& expected = advice.expected;
  if (expected.saved_bytes > 0) {
    text += fmt::format("# {}: {:.0f} bytes/s, {:.1f} % of the payload\n",
                        advice.was_observed ? "expected saving" : "saved now", expected.saved_bytes,
                        expected.saved_share * 100);
    text += fmt::format("# CPU for it: {:.4f} cores, {:.1f} s per GB saved\n", expected.cpu_cores,
                        expected.seconds_per_gb());
    text += fmt::format("# memory for it: {} at most\n", megabytes(expected.memory_bytes));
  }
  for (const std::string& note : advice.notes) text += "# " + note + "\n";
  if (advice.settings.empty()) return text + "# nothing to change\n";
  text += "compression:\n";
  for (const Setting& setting : advice.settings) {
    text += fmt::format("  {}: {}  # {}\n", setting.key, setting.value, setting.why);
  }
  return text;
}

std::string tune_json(const Figures& figures, const Recommendation& advice) {
  std::string settings;
  for (const Setting& setting : advice.settings) {
    settings += fmt::format("{}{{\"key\":{},\"value\":{},\"why\":{}}}", settings.empty() ? "" : ",",
                            quoted("compression." + setting.key), quoted(setting.value), quoted(setting.why));
  }
  std::string notes;
  for (const std::string& note : advice.notes) notes += (notes.empty() ? "" : ",") + quoted(note);
  const Expectation& expected = advice.expected;
  return fmt::format(
      "{{\"enough_traffic\":{},\"observed\":{},\"seconds\":{:.3f},\"messages\":{:.0f},\"payload_bytes\":{:."
      "0f},"
      "\"connections\":{:.0f},\"expected\":{{\"saved_bytes_per_second\":{:.1f},\"saved_share\":{:.4f},"
      "\"cpu_cores\":{:.6f},\"cpu_seconds_per_gb\":{:.3f},\"memory_bytes\":{:.0f}}},\"settings\":[{}],"
      "\"notes\":[{}]}}\n",
      advice.is_enough, advice.was_observed, figures.seconds, figures.messages, figures.payload_bytes,
      figures.connections, expected.saved_bytes, expected.saved_share, expected.cpu_cores,
      expected.seconds_per_gb(), expected.memory_bytes, settings, notes);
}

}  // namespace wsproxy::cli
