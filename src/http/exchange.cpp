#include "http/exchange.hpp"

#include <algorithm>
#include <array>

#include "http/forward.hpp"

namespace wsproxy::http {
namespace {

/// What `feed` has used of a malformed body ends with the byte that is wrong.
std::size_t without_fault(std::size_t taken, BodyFraming::Status status) {
  return status == BodyFraming::Status::malformed && taken > 0 ? taken - 1 : taken;
}

/// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> kMethods = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

}  // namespace

Exchange::Exchange(RequestHead request, const ForwardedFacts& facts, Settings settings)
    : request_(std::move(request)),
      request_head_(forward_request(request_, facts)),
      request_body_(BodyFraming::of(request_)),
      reader_(settings.max_header_bytes, ResponseHeadReader::Interim::read),
      closes_(settings.closes),
      has_content_(!request_is_complete()) {
}

Exchange::Status Exchange::from_client(base::Bytes input, std::size_t& used, base::ByteQueue& to_app) {
  if (request_body_.status() != Status::more) return request_body_.status();
  std::size_t taken = 0;
  const Status status = request_body_.feed(input, taken);
  to_app.append(input.first(without_fault(taken, status)));
  used += taken;
  if (status == Status::malformed) problem_ = "a malformed chunk in the request";
  return status;
}

Exchange::Status Exchange::from_app(base::Bytes input, std::size_t& used, base::ByteQueue& to_client) {
  app_has_spoken_ = app_has_spoken_ || !input.empty();
  std::size_t taken = 0;
  while (state_ == State::head && read_head(input.subspan(taken), taken)) on_head(reader_.head(), to_client);
  if (state_ == State::body) read_body(input.subspan(taken), taken, to_client);
  used += taken;
  return answer_status();
}

Exchange::Status Exchange::app_ended() {
  if (state_ == State::body && answer_body_.ends_with_connection()) {
    state_ = State::complete;
  } else if (state_ == State::body) {
    fail("the answer was cut");
  } else if (state_ == State::head) {
    fail(app_has_spoken_ ? "the answer's head was cut" : "no answer");
  }
  return answer_status();
}

bool Exchange::may_be_repeated() const {
  return !app_has_spoken_ && !has_content_ && is_idempotent(request_.method);
}

bool Exchange::app_persists() const {
  return state_ == State::complete && app_persists_;
}

bool Exchange::client_persists() const {
  return state_ == State::complete && client_persists_ && !closes_;
}

bool Exchange::cut_needs_reset() const {
  if (!answer_has_begun() || answer_is_complete()) return false;
  return answer_body_.ends_with_connection() || is_dechunked();
}

Exchange::Status Exchange::answer_status() const {
  if (state_ == State::complete) return Status::complete;
  return state_ == State::malformed ? Status::malformed : Status::more;
}

bool Exchange::read_head(base::Bytes input, std::size_t& used) {
  const HeadStatus status = reader_.feed(input, used);
  if (status == HeadStatus::too_large || status == HeadStatus::malformed) fail(reader_.problem());
  return status == HeadStatus::complete;
}

void Exchange::on_head(const ResponseHead& head, base::ByteQueue& to_client) {
  AnswerTerms terms;
  terms.version_minor = request_.version_minor;
  terms.keeps_chunks = request_.version_minor >= 1;
  if (head.is_interim()) {
    // RFC 9110 section 15.2: HTTP/1.0 knows none.
    if (request_.version_minor >= 1) to_client.append(base::as_bytes(forward_answer(head, terms)));
    reader_.next();
    return;
  }
  if (head.status == 101) return fail("an upgrade that nobody asked for");
  status_ = head.status;
  answer_body_ = BodyFraming::of(head, request_.method);
  state_ = answer_body_.status() == Status::complete ? State::complete : State::body;
  // Who answers ahead of the request's end does not want the rest of it, and a client that hears of
  // that need not send it (RFC 9110 section 10.1.1): where its next request begins is open.
  const bool has_ends = request_is_complete() && !answer_body_.ends_with_connection();
  app_persists_ = has_ends && wants_to_persist(head.fields, head.version_minor);
  client_persists_ =
      has_ends && !closes_ && !is_dechunked() && wants_to_persist(request_.fields, request_.version_minor);
  terms.client_persists = client_persists_;
  to_client.append(base::as_bytes(forward_answer(head, terms)));
}

void Exchange::read_body(base::Bytes input, std::size_t& used, base::ByteQueue& to_client) {
  std::size_t taken = 0;
  const Status status = answer_body_.feed(input, taken, is_dechunked() ? &to_client : nullptr);
  if (!is_dechunked()) to_client.append(input.first(without_fault(taken, status)));
  used += taken;
  if (status == Status::complete) state_ = State::complete;
  if (status == Status::malformed) fail("a malformed chunk in the answer");
}

void Exchange::fail(std::string_view problem) {
  state_ = State::malformed;
  problem_ = problem;
}

bool Exchange::is_dechunked() const {
  return answer_body_.is_chunked() && request_.version_minor == 0;
}

}  // namespace wsproxy::http
