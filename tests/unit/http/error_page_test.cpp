#include "http/error_page.hpp"

#include <catch2/catch.hpp>

#include "http/response_head.hpp"

namespace wsproxy::http {

TEST_CASE("an error page is a whole answer that closes the connection") {
  CHECK(error_page(502, "the app does not answer") ==
        "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 24\r\n\r\nthe app does not answer\n");
}

TEST_CASE("6455 4.4: 426 says what to upgrade to, and Connection says that it does") {
  const std::string page = error_page(426, "this is a WebSocket proxy");
  CHECK(page.find("HTTP/1.1 426 Upgrade Required\r\n") == 0);
  CHECK(page.find("\r\nConnection: close, Upgrade\r\n") != std::string::npos);
  CHECK(page.find("\r\nUpgrade: websocket\r\n") != std::string::npos);
  CHECK(page.find("\r\nSec-WebSocket-Version: 13\r\n") != std::string::npos);
}

TEST_CASE("an error page with headers of the caller is read back whole by our own reader") {
  for (const unsigned status : {400u, 426u, 431u, 499u, 503u, 504u}) {
    const std::string page = error_page(status, "a sentence", "Retry-After: 1\r\n");
    ResponseHeadReader reader{1000};
    std::size_t used = 0;
    REQUIRE(reader.feed(base::as_bytes(page), used) == HeadStatus::complete);
    CHECK(reader.head().status == status);
    CHECK(reader.head().reason == reason_phrase(status));
    CHECK(reader.head().fields.first("retry-after") == "1");
    CHECK(reader.body(base::as_bytes(page).subspan(used), used) == ResponseHeadReader::BodyStatus::complete);
    CHECK(used == page.size());
  }
}

TEST_CASE("a status without a known phrase is an error") {
  CHECK(reason_phrase(599) == "Error");
  CHECK(reason_phrase(502) == "Bad Gateway");
}

}  // namespace wsproxy::http
