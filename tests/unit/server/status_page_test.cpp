#include "server/status_page.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace wsproxy::server;

namespace {
std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}
}  // namespace

TEST_CASE("The page is whole, and its script and its style carry the nonce") {
  const std::string page = status_page("abc+/=");
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.ends_with("</html>\n"));
  CHECK(count_of(page, "nonce=\"abc+/=\"") == 2);
  CHECK(count_of(page, "NONCE") == 0);
  CHECK(count_of(page, "<script") == 1);
  CHECK(count_of(page, "<style") == 1);
}

TEST_CASE("The page has nothing that its policy forbids, and asks for nothing elsewhere") {
  const std::string page = status_page("n");
  for (const char* forbidden : {" style=", " onclick=", " onload=", "innerHTML", "insertAdjacentHTML",
                                "document.write", "eval(", "src=\"", "url(", "@import", "https://"}) {
    INFO(forbidden);
    CHECK(count_of(page, forbidden) == 0);
  }
}

TEST_CASE("The policy lets only the nonce run") {
  const std::string policy = content_security_policy("abc");
  for (const char* part :
       {"default-src 'none'", "script-src 'nonce-abc'", "style-src 'nonce-abc'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}) {
    INFO(part);
    CHECK(count_of(policy, part) == 1);
  }
  CHECK(count_of(policy, "unsafe") == 0);
}

TEST_CASE("No two answers have the same nonce, and none leaves its quotes") {
  const std::string one = page_nonce();
  CHECK(one.size() == 24);
  CHECK(one != page_nonce());
  CHECK(one.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
        std::string::npos);
}
