#include "doctor/scorecard.hpp"

#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace wsproxy::doctor {
namespace {

Finding never(Subject&) {
  return failed("not called");
}

const Check kFirst{"framing.ping", "RFC 6455 5.5.2", "pings are answered", "it looks dead", kHandshake, false,
                   never};
const Check kSecond{"limits.bomb", "RFC 7692 8", "bombs are refused", "memory", kHandshake, true, never};

Subject echoing() {
  Subject subject;
  subject.has_handshake = true;
  subject.echoes = subject.takes_messages = true;
  return subject;
}

TEST_CASE("the exit code is that of the worst") {
  const auto code = [](Status first, Status second) {
    const std::vector<Result> results{{&kFirst, {first, ""}}, {&kSecond, {second, ""}}};
    return exit_code(results);
  };
  CHECK(code(Status::pass, Status::skip) == 0);
  CHECK(code(Status::pass, Status::warn) == 3);
  CHECK(code(Status::fail, Status::warn) == 1);
}

TEST_CASE("the scorecard tells what was seen and what it means") {
  const std::vector<Result> results{{&kFirst, failed("closed with 1002 \"\x1b[31m\"")},
                                    {&kSecond, skipped("only with --deep"), 0, true}};
  CHECK(scorecard_text("ws://app", echoing(), results, false) ==
        "ws://app\nno permessage-deflate, echoes messages\n\nframing\n"
        "  fail  framing.ping                 pings are answered (RFC 6455 5.5.2)\n"
        "          closed with 1002 \"?[31m\"\n"
        "          so: it looks dead\n\n"
        "0 passed, 0 warned, 1 failed, 1 skipped, 1 of them for --deep\n");
  CHECK(scorecard_text("ws://app", echoing(), results, true).find("\x1b[31mfail\x1b[0m") !=
        std::string::npos);
}

TEST_CASE("the JSON is whole, whatever the server sent") {
  const std::vector<Result> results{{&kFirst, warned("closed with 1000 \"caf\xff\"")}, {&kSecond, passed()}};
  const auto json = nlohmann::json::parse(scorecard_json("ws://app", echoing(), results));
  CHECK(json["facts"]["echo"] == true);
  CHECK(json["checks"][0]["id"] == "framing.ping");
  CHECK(json["checks"][0]["group"] == "framing");
  CHECK(json["checks"][0]["status"] == "warn");
  CHECK(json["checks"][1]["deep"] == true);
  CHECK(json["summary"] == nlohmann::json{{"pass", 1}, {"warn", 1}, {"fail", 0}, {"skip", 0}});
}

TEST_CASE("of several cases the worst counts, and all that is not well is told") {
  Finding finding;
  finding.add("one", passed("fine"));
  CHECK(finding.detail == "one: fine");
  finding.add("two", warned("odd"));
  finding.add("three", passed("fine"));
  finding.add("four", failed("bad"));
  finding.add("five", failed(""));
  CHECK(finding.status == Status::fail);
  CHECK(finding.detail == "two: odd; four: bad; five");
}

TEST_CASE("what a server sent is told as far as it can be read") {
  CHECK(failed(std::string(200, 'x')).detail == std::string(200, 'x'));
  CHECK(failed(std::string(201, 'x')).detail == std::string(197, 'x') + "...");
  std::string accents;
  for (int i = 0; i < 150; ++i) accents += "\xc3\xa9";
  CHECK(warned(accents).detail == accents.substr(0, 196) + "...");  // no half of a character

  Finding finding;
  for (int i = 0; i < 20; ++i) finding.add("case " + std::to_string(i), failed(std::string(500, 'x')));
  CHECK(finding.detail.size() == 1000);
  CHECK(finding.detail.ends_with("..."));
  CHECK(finding.detail.find("case 3: xxx") != std::string::npos);
}

TEST_CASE("every check has an id of its own, a section, and says what it means") {
  std::set<std::string_view> ids;
  for (const Check& check : checks()) {
    INFO(check.id);
    CHECK(ids.insert(check.id).second);
    CHECK(check.id.find('.') != std::string_view::npos);
    CHECK(check.section.starts_with("RFC "));
    CHECK_FALSE(check.title.empty());
    CHECK_FALSE(check.meaning.empty());
    CHECK(is_known(check.id));
    CHECK(is_known(check.group()));
    CHECK(check.id.starts_with(std::string{check.group()} + "."));
  }
  CHECK(is_known("framing"));
  CHECK_FALSE(is_known("fram"));
  CHECK_FALSE(is_known(""));
}

}  // namespace
}  // namespace wsproxy::doctor
