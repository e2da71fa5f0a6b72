#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "doctor/examination.hpp"

namespace wsproxy::doctor {
namespace {

TEST_CASE("docs/doctor.md has every check as it is") {
  std::ifstream file{WSPROXY_SOURCE_DIR "/docs/doctor.md"};
  std::stringstream page;
  page << file.rdbuf();
  for (const Check& check : checks()) {
    std::ostringstream row;
    row << "\n| `" << check.id << "` | " << check.section << " | " << check.title
        << (check.is_deep ? " (`--deep`)" : "") << " | " << check.meaning << " |";
    INFO(row.str());
    CHECK(page.str().find(row.str()) != std::string::npos);
  }
}

}  // namespace
}  // namespace wsproxy::doctor
