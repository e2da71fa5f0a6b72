#include "http/forward.hpp"

#include "base/ascii.hpp"
#include "http/head_writer.hpp"
#include "http/request_target.hpp"

namespace wsproxy::http {
namespace {

/// What of the framing goes on in the head of an answer.
bool has_length(unsigned status) {
  return status >= 200 && status != 204;
}
bool has_coding(unsigned status) {
  return has_length(status) && status != 304;
}

std::string first_line(const RequestHead& client, std::string_view base_path) {
  return client.method + ' ' + target_for_app(client.method, client.target, base_path) + " HTTP/1.1";
}

std::string first_line(const ResponseHead& app) {
  return "HTTP/1.1 " + std::to_string(app.status) + ' ' + app.reason;
}

bool is_coding(std::string_view name) {
  return base::iequals(name, "transfer-encoding");
}

/// Not one of RFC 9110 section 7.6.1: it goes where the trailers go.
bool is_trailer(std::string_view name) {
  return base::iequals(name, "trailer");
}

}  // namespace

std::string forward_request(const RequestHead& client, const ForwardedFacts& facts) {
  const ForwardedFields forwarded{client, facts};
  const HopByHop hop_by_hop{client.fields};
  const auto left = forwards_left(client);
  HeadWriter writer;
  writer.first_line(first_line(client, facts.base_path));
  if (client.fields.count("host") == 0) writer.field("Host", forwarded.host());
  for (const Field& field : client.fields.all()) {
    if (forwarded.replaces(field.name)) continue;
    if (base::iequals(field.name, "host")) {
      writer.field(field.name, forwarded.host());
    } else if (left && base::iequals(field.name, "max-forwards")) {
      writer.field(field.name, std::to_string(*left == 0 ? 0 : *left - 1));
    } else if (is_coding(field.name) || is_trailer(field.name) || !hop_by_hop.covers(field.name)) {
      writer.field(field.name, field.value);
    }
  }
  forwarded.write(writer);
  return std::move(writer).finish();
}

std::string forward_answer(const ResponseHead& app, const AnswerTerms& terms) {
  const HopByHop hop_by_hop{app.fields};
  const bool keeps_chunks = terms.keeps_chunks && has_coding(app.status);
  HeadWriter writer;
  writer.first_line(first_line(app));
  for (const Field& field : app.fields.all()) {
    if (is_coding(field.name) || is_trailer(field.name)) {
      const bool goes_on = is_coding(field.name) ? keeps_chunks : terms.keeps_chunks;
      if (goes_on) writer.field(field.name, field.value);
    } else if (base::iequals(field.name, "content-length")) {
      if (has_length(app.status)) writer.field(field.name, field.value);
    } else if (!hop_by_hop.covers(field.name)) {
      writer.field(field.name, field.value);
    }
  }
  if (!app.is_interim()) {
    if (!terms.client_persists) writer.field("Connection", "close");
    if (terms.client_persists && terms.version_minor == 0) writer.field("Connection", "keep-alive");
  }
  return std::move(writer).finish();
}

std::optional<std::uint64_t> forwards_left(const RequestHead& request) {
  if (request.method != "OPTIONS" && request.method != "TRACE") return std::nullopt;
  if (request.fields.count("max-forwards") == 0) return std::nullopt;
  // What is no number, or several, might be the last one as well.
  return base::parse_decimal(request.fields.joined("max-forwards")).value_or(0);
}

bool wants_to_persist(const Fields& fields, unsigned version_minor) {
  const std::string options = fields.joined("connection");
  if (base::list_has_token(options, "close")) return false;
  return version_minor >= 1 || base::list_has_token(options, "keep-alive");
}

}  // namespace wsproxy::http
