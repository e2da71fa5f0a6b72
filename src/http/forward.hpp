#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/forwarded.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"

namespace wsproxy::http {

/// The head of a plain request as the app gets it: everything end to end in its order, with duplicates
/// and case; hop-by-hop fields end here (RFC 9110 section 7.6.1), except for Transfer-Encoding: chunked
/// and Trailer, since a chunked body goes on as it is.
std::string forward_request(const RequestHead& client, const ForwardedFacts& facts);

/// What the client's connection has to do with the head of an answer.
struct AnswerTerms {
  unsigned version_minor = 1;   // of the request
  bool keeps_chunks = false;    // a chunked body goes on as it is, or would if it were no answer to HEAD
  bool client_persists = true;  // its connection can carry another request after this
};

/// The head of an answer, interim or final, as the client gets it.
std::string forward_answer(const ResponseHead& app, const AnswerTerms& terms);

/// RFC 9110 section 7.6.2: how many more times OPTIONS or TRACE may be forwarded; nothing when the client
/// does not say. At 0 it is to be answered here.
std::optional<std::uint64_t> forwards_left(const RequestHead& request);

/// RFC 9112 section 9.3: whether who sent a head with these fields can go on with the connection.
bool wants_to_persist(const Fields& fields, unsigned version_minor);

}  // namespace wsproxy::http
