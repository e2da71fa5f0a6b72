#pragma once

#include <functional>
#include <string>

#include "http/exchange.hpp"
#include "support/splits.hpp"

namespace wsproxy::http::test {

inline ForwardedFacts plain_facts() {
  ForwardedFacts facts;
  facts.peer = "192.0.2.7";
  facts.scheme = "http";
  facts.port = "8009";
  facts.request_id = "fresh";
  facts.upstream_authority = "app:8008";
  return facts;
}

inline RequestHead request_of(const std::string& bytes) {
  RequestHeadReader reader{65536};
  std::size_t used = 0;
  INFO(bytes);
  REQUIRE(reader.feed(base::as_bytes(bytes), used) == HeadStatus::complete);
  REQUIRE(used == bytes.size());
  return reader.head();
}

inline ResponseHead answer_of(const std::string& bytes) {
  ResponseHeadReader reader{65536, ResponseHeadReader::Interim::read};
  std::size_t used = 0;
  INFO(bytes);
  REQUIRE(reader.feed(base::as_bytes(bytes), used) == HeadStatus::complete);
  REQUIRE(used == bytes.size());
  return reader.head();
}

/// An exchange and what came out of it.
struct Played {
  explicit Played(const std::string& head, Exchange::Settings settings = {1000})
      : exchange(request_of(head), plain_facts(), settings) {}

  Exchange::Status client_says(const wsproxy::test::Split& split) {
    for (const auto& piece : split.pieces) request_status = exchange.from_client(piece, client_used, to_app);
    return request_status;
  }
  Exchange::Status app_says(const wsproxy::test::Split& split) {
    for (const auto& piece : split.pieces) answer_status = exchange.from_app(piece, app_used, to_client);
    return answer_status;
  }
  Exchange::Status client_says(std::string_view bytes) {
    return client_says(wsproxy::test::whole(base::as_bytes(bytes)));
  }
  Exchange::Status app_says(std::string_view bytes) {
    return app_says(wsproxy::test::whole(base::as_bytes(bytes)));
  }
  std::string app_got() const { return std::string{base::as_text(to_app.view())}; }
  std::string client_got() const { return std::string{base::as_text(to_client.view())}; }

  Exchange exchange;
  base::ByteQueue to_app;
  base::ByteQueue to_client;
  std::size_t client_used = 0;
  std::size_t app_used = 0;
  Exchange::Status request_status = Exchange::Status::more;
  Exchange::Status answer_status = Exchange::Status::more;
};

/// Calls `check` after the app has said `answer`, at each kind of split.
inline void for_each_answer(const std::string& head, const std::string& answer,
                            const std::function<void(Played&)>& check, Exchange::Settings settings = {1000}) {
  wsproxy::test::for_each_split(base::as_bytes(answer), [&](const wsproxy::test::Split& split) {
    INFO(head << answer);
    Played played{head, settings};
    played.app_says(split);
    check(played);
  });
}

/// Calls `check` after the client has said `body`, at each kind of split.
inline void for_each_body(const std::string& head, const std::string& body,
                          const std::function<void(Played&)>& check) {
  wsproxy::test::for_each_split(base::as_bytes(body), [&](const wsproxy::test::Split& split) {
    INFO(head << body);
    Played played{head};
    played.client_says(split);
    check(played);
  });
}

}  // namespace wsproxy::http::test
