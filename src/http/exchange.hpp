#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_queue.hpp"
#include "http/body_framing.hpp"
#include "http/forwarded.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"

namespace wsproxy::http {

/// One plain request and its answer, from the head of the request to the end of the answer's body. Says
/// what the bytes of one side become on the other, and what becomes of both connections afterwards.
class Exchange {
 public:
  struct Settings {
    std::size_t max_header_bytes;  // of each head of the answer
    bool closes = false;           // the client's connection ends after this, whatever both sides say
  };
  /// `facts` are only used in here.
  Exchange(RequestHead request, const ForwardedFacts& facts, Settings settings);

  /// For the app, with its blank line.
  const std::string& request_head() const { return request_head_; }

  /// Once complete or malformed, a side stays so and uses no more bytes.
  using Status = BodyFraming::Status;
  /// The request's body goes on as it is. Adds to `used` what belongs to this request.
  Status from_client(base::Bytes input, std::size_t& used, base::ByteQueue& to_app);
  /// Interim answers go on to clients of HTTP/1.1, then the final head, then its body. Complete when the
  /// answer is over: what is not used then, nobody asked for. What went on before it turned out malformed
  /// has gone on.
  Status from_app(base::Bytes input, std::size_t& used, base::ByteQueue& to_client);
  /// The app's connection ended: complete if that ends the answer, else malformed (cut, or none).
  Status app_ended();
  /// The client's connection is not to be used again; the answer says so if its head has not gone yet.
  void close_after_answer() { closes_ = true; }

  bool request_is_complete() const { return request_body_.status() == Status::complete; }
  /// Its final head has gone on.
  bool answer_has_begun() const { return status_ != 0; }
  bool answer_is_complete() const { return state_ == State::complete; }
  bool app_has_spoken() const { return app_has_spoken_; }
  /// Whether the app may get it once more: nothing was heard of it yet, and twice is as good as once
  /// (RFC 9110 section 9.2.2; a body is not kept for that).
  bool may_be_repeated() const;
  /// Whether the app's connection can carry another request, now that this one is answered.
  bool app_persists() const;
  /// The same for the client's connection.
  bool client_persists() const;
  /// The client would take a plain end of its connection for the end of the answer, which it is not.
  bool cut_needs_reset() const;

  /// Of the final answer; 0 before its head.
  unsigned status() const { return status_; }
  const RequestHead& request() const { return request_; }
  /// Without what frames it.
  std::uint64_t request_body_bytes() const { return request_body_.content_bytes(); }
  std::uint64_t answer_body_bytes() const { return answer_body_.content_bytes(); }
  /// What was malformed, for the log.
  std::string_view problem() const { return problem_; }

 private:
  enum class State : std::uint8_t { head, body, complete, malformed };

  Status answer_status() const;
  /// Reads on in the heads; true when one of them was complete.
  bool read_head(base::Bytes input, std::size_t& used);
  void on_head(const ResponseHead& head, base::ByteQueue& to_client);
  void read_body(base::Bytes input, std::size_t& used, base::ByteQueue& to_client);
  void fail(std::string_view problem);
  bool is_dechunked() const;

  RequestHead request_;
  std::string request_head_;
  BodyFraming request_body_;
  ResponseHeadReader reader_;
  BodyFraming answer_body_;
  std::string problem_;
  unsigned status_ = 0;
  State state_ = State::head;
  bool closes_;
  bool app_has_spoken_ = false;
  bool app_persists_ = false;     // as its head says
  bool client_persists_ = false;  // as the head that it got says
  bool has_content_;              // the request
};

}  // namespace wsproxy::http
