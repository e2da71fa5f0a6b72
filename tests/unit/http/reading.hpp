#pragma once

#include <string>

#include "http/request_head.hpp"
#include "http/response_head.hpp"
#include "support/splits.hpp"

namespace wsproxy::http::test {

/// What a reader made of one stream of pieces.
template <typename Head>
struct Outcome {
  HeadStatus status = HeadStatus::need_more;
  std::string problem;
  Head head;
  std::string rest;  // what it left
};

template <typename Reader, typename Head>
Outcome<Head> read_pieces(Reader& reader, const wsproxy::test::Split& split) {
  Outcome<Head> outcome;
  for (const auto& piece : split.pieces) {
    std::size_t used = 0;
    if (outcome.status == HeadStatus::need_more) outcome.status = reader.feed(piece, used);
    outcome.rest += base::as_text(base::Bytes{piece}.subspan(used));
  }
  outcome.problem = reader.problem();
  outcome.head = reader.head();
  return outcome;
}

/// Calls `check` with the outcome of each kind of split.
template <typename Check>
void for_each_request(std::string_view bytes, Check check, std::size_t limit = 16384) {
  wsproxy::test::for_each_split(base::as_bytes(bytes), [&](const wsproxy::test::Split& split) {
    RequestHeadReader reader{limit};
    check(read_pieces<RequestHeadReader, RequestHead>(reader, split));
  });
}

template <typename Check>
void for_each_response(std::string_view bytes, Check check, std::size_t limit = 16384) {
  wsproxy::test::for_each_split(base::as_bytes(bytes), [&](const wsproxy::test::Split& split) {
    ResponseHeadReader reader{limit};
    check(read_pieces<ResponseHeadReader, ResponseHead>(reader, split));
  });
}

}  // namespace wsproxy::http::test
