#include "http/head_parser.hpp"

#include <limits>
#include <optional>

#include <boost/beast/http/basic_parser.hpp>

namespace wsproxy::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t kUsualFields = 16;

struct StartLine {
  std::string method;
  std::string target;
  unsigned status = 0;
  std::string reason;
  unsigned version = 11;
};

/// Collects what Beast finds. Nothing of the body is ever shown to it.
template <bool is_request>
class Collector : public beast::http::basic_parser<is_request> {
 public:
  Collector() {
    this->header_limit(std::numeric_limits<std::uint32_t>::max());  // the size is judged before
    this->body_limit(boost::none);
    this->eager(false);
    fields.reserve(kUsualFields);
  }

  StartLine start;
  Fields fields;

 private:
  using error_code = beast::error_code;
  using string_view = beast::string_view;

  void on_request_impl(beast::http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    start.method = std::string{method};
    start.target = std::string{target};
    start.version = static_cast<unsigned>(version);
  }
  void on_response_impl(int status, string_view reason, int version, error_code&) override {
    start.status = static_cast<unsigned>(status);
    start.reason = std::string{reason};
    start.version = static_cast<unsigned>(version);
  }
  void on_field_impl(beast::http::field, string_view name, string_view value, error_code&) override {
    fields.add(std::string{name}, std::string{value});
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

template <bool is_request>
std::string parse(Collector<is_request>& parser, const std::string& text) {
  beast::error_code error;
  const std::size_t used = parser.put(boost::asio::buffer(text), error);
  if (error) return error.message();
  return used == text.size() && parser.is_header_done() ? "" : "the head does not end at its blank line";
}

}  // namespace

std::string parse_request_head(const std::string& text, RequestHead& to) {
  Collector<true> parser;
  if (std::string problem = parse(parser, text); !problem.empty()) return problem;
  to.method = std::move(parser.start.method);
  to.target = std::move(parser.start.target);
  to.version_minor = parser.start.version % 10;
  to.fields = std::move(parser.fields);
  return {};
}

std::string parse_response_head(const std::string& text, ResponseHead& to) {
  // RFC 9112 section 4: the space before an empty reason is often left out.
  constexpr std::size_t kBeforeReason = std::string_view{"HTTP/1.1 200"}.size();
  if (text.find('\r') == kBeforeReason)
    return parse_response_head(std::string{text}.insert(kBeforeReason, " "), to);
  Collector<false> parser;
  if (std::string problem = parse(parser, text); !problem.empty()) return problem;
  to.status = parser.start.status;
  to.reason = std::move(parser.start.reason);
  to.version_minor = parser.start.version % 10;
  to.fields = std::move(parser.fields);
  return {};
}

}  // namespace wsproxy::http
