#include "doctor/scorecard.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace wsproxy::doctor {
namespace {

constexpr std::array<std::string_view, 4> kNames{"pass", "skip", "warn", "fail"};
constexpr std::array<std::string_view, 4> kColors{"\x1b[32m", "\x1b[2m", "\x1b[33m", "\x1b[31m"};
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::size_t kIdWidth = 29;

std::string_view name_of(Status status) {
  return kNames[static_cast<std::size_t>(status)];
}

std::ptrdiff_t count(std::span<const Result> results, Status status) {
  return std::count_if(results.begin(), results.end(),
                       [&](const Result& result) { return result.finding.status == status; });
}

std::string padded(std::string_view text, std::size_t width) {
  std::string field{text};
  field.resize(std::max(width, text.size()), ' ');
  return field;
}

/// What a server sent may be shown on a terminal: its control characters must not reach it.
std::string printable(std::string_view text) {
  std::string safe{text};
  std::replace_if(
      safe.begin(), safe.end(),
      [](unsigned char c) { return c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0); }, '?');
  return safe;
}

std::string facts(const Subject& subject) {
  if (!subject.has_handshake) return "no handshake: " + printable(subject.problem);
  std::string text =
      subject.agreed.compression ? "agreed: " + printable(subject.extensions) : "no permessage-deflate";
  text += subject.echoes           ? ", echoes messages"
          : subject.takes_messages ? ", does not echo messages"
                                   : ", closes on a message that it does not know";
  return text;
}

std::string lines_of(const Result& result, bool colored) {
  const auto& [check, finding, milliseconds, is_left_out] = result;
  const auto index = static_cast<std::size_t>(finding.status);
  std::string text = "  ";
  if (colored) text += kColors[index];
  text += kNames[index];
  if (colored) text += kPlain;
  text += "  " + padded(check->id, kIdWidth) + std::string{check->title} + " (" +
          std::string{check->section} + ")\n";
  if (!finding.detail.empty()) text += "          " + printable(finding.detail) + "\n";
  if (finding.status >= Status::warn) text += "          so: " + std::string{check->meaning} + "\n";
  return text;
}

}  // namespace

std::string scorecard_text(const std::string& url, const Subject& subject, std::span<const Result> results,
                           bool colored) {
  std::string text = printable(url) + "\n" + facts(subject) + "\n";
  std::string_view group;
  std::size_t left_out = 0;
  for (const Result& result : results) {
    if (result.is_left_out) {
      ++left_out;
      continue;
    }
    if (group != result.check->group()) {
      group = result.check->group();
      text += "\n" + std::string{group} + "\n";
    }
    text += lines_of(result, colored);
  }
  text += "\n" + std::to_string(count(results, Status::pass)) + " passed, " +
          std::to_string(count(results, Status::warn)) + " warned, " +
          std::to_string(count(results, Status::fail)) + " failed, " +
          std::to_string(count(results, Status::skip)) + " skipped" +
          (left_out != 0 ? ", " + std::to_string(left_out) + " of them for --deep" : "") + "\n";
  return text;
}

std::string scorecard_json(const std::string& url, const Subject& subject, std::span<const Result> results) {
  nlohmann::ordered_json json;
  json["url"] = url;
  json["facts"] = {{"handshake", subject.has_handshake},
                   {"echo", subject.echoes},
                   {"takes_messages", subject.takes_messages},
                   {"permessage_deflate", subject.extensions}};
  json["checks"] = nlohmann::ordered_json::array();
  for (const auto& [check, finding, milliseconds, is_left_out] : results) {
    json["checks"].push_back({{"id", check->id},
                              {"group", check->group()},
                              {"status", name_of(finding.status)},
                              {"title", check->title},
                              {"section", check->section},
                              {"detail", finding.detail},
                              {"meaning", check->meaning},
                              {"deep", check->is_deep},
                              {"milliseconds", milliseconds}});
  }
  for (const Status status : {Status::pass, Status::warn, Status::fail, Status::skip}) {
    json["summary"][std::string{name_of(status)}] = count(results, status);
  }
  // What a server sent need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int exit_code(std::span<const Result> results) {
  if (count(results, Status::fail) != 0) return 1;
  return count(results, Status::warn) != 0 ? 3 : 0;
}

}  // namespace wsproxy::doctor
