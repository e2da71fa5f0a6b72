// A plain request and its answer, both sides' bytes at any cuts. However they are cut, the same comes
// out; what the proxy writes is one request and one answer again, with the bodies that came in; and
// nothing goes on after what was malformed.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "http/exchange.hpp"

namespace {

using namespace wsproxy;
using Status = http::Exchange::Status;

constexpr std::size_t kLimit = 2048;
constexpr std::string_view kBetweenSides = "\n|";  // no head is whole with it

void require(bool holds) {
  if (!holds) std::abort();
}

/// What the first two bytes of an input choose.
struct Choices {
  bool app_first = false;
  bool closes = false;
  http::ForwardedFacts facts;
  unsigned seed = 0;
};

/// One way to play the same two sides.
struct Play {
  Play(const http::RequestHead& request, const Choices& choices, unsigned cuts)
      : exchange(request, choices.facts, {kLimit, choices.closes}), seed(cuts) {}

  /// Sizes of pieces: all at once, or a few bytes each time.
  std::size_t piece(std::size_t size) {
    if (seed == 0) return size;
    seed = seed * 1103515245u + 12345u;
    return std::min<std::size_t>(size, (seed >> 16) % 9);
  }
  void client_says(base::Bytes bytes) {
    request_status = exchange.from_client({}, client_used, to_app);
    while (request_status == Status::more && client_used < bytes.size()) {
      const std::size_t size = piece(bytes.size() - client_used);
      request_status = exchange.from_client(bytes.subspan(client_used, size), client_used, to_app);
    }
  }
  void app_says(base::Bytes bytes) {
    answer_status = exchange.from_app({}, app_used, to_client);
    while (answer_status == Status::more && app_used < bytes.size()) {
      const std::size_t size = piece(bytes.size() - app_used);
      answer_status = exchange.from_app(bytes.subspan(app_used, size), app_used, to_client);
    }
  }
  void both_say(base::Bytes client, base::Bytes app, bool app_first) {
    if (app_first) app_says(app);
    client_says(client);
    if (!app_first) app_says(app);
  }

  http::Exchange exchange;
  unsigned seed;
  base::ByteQueue to_app;
  base::ByteQueue to_client;
  std::size_t client_used = 0;
  std::size_t app_used = 0;
  Status request_status = Status::more;
  Status answer_status = Status::more;
};

void require_same(const Play& a, const Play& b) {
  require(base::as_text(a.to_app.view()) == base::as_text(b.to_app.view()));
  require(base::as_text(a.to_client.view()) == base::as_text(b.to_client.view()));
  require(a.client_used == b.client_used && a.app_used == b.app_used);
  require(a.request_status == b.request_status && a.answer_status == b.answer_status);
  const http::Exchange& x = a.exchange;
  const http::Exchange& y = b.exchange;
  require(x.problem() == y.problem() && x.status() == y.status());
  require(x.answer_has_begun() == y.answer_has_begun() && x.cut_needs_reset() == y.cut_needs_reset());
  require(x.app_persists() == y.app_persists() && x.client_persists() == y.client_persists());
  require(x.request_body_bytes() == y.request_body_bytes());
  require(x.answer_body_bytes() == y.answer_body_bytes());
}

/// Undoes the chunks of a whole body, in another way than the proxy does.
std::string without_chunks(std::string_view body) {
  std::string content;
  while (true) {
    const std::size_t line_end = body.find("\r\n");
    require(line_end != std::string_view::npos);
    const auto size = std::strtoull(std::string{body.substr(0, line_end)}.c_str(), nullptr, 16);
    body.remove_prefix(line_end + 2);
    if (size == 0) return content;
    require(size + 2 <= body.size());
    content += body.substr(0, size);
    require(body.substr(size, 2) == "\r\n");
    body.remove_prefix(size + 2);
  }
}

/// Framing and content of a body that somebody reads in `bytes`; `used` is what of them it takes.
struct Body {
  Body(http::BodyFraming how, base::Bytes bytes) : framing(std::move(how)) {
    framing.feed(bytes, used, &queue);
    is_whole = framing.status() == Status::complete;
    if (is_whole && framing.is_chunked())
      require(without_chunks(base::as_text(bytes.first(used))) == content());
  }
  std::string_view content() const { return base::as_text(queue.view()); }

  http::BodyFraming framing;
  base::ByteQueue queue;
  std::size_t used = 0;
  bool is_whole = false;
};

/// The app reads the request: it is one, framed as it was, and its body is what the client sent.
void check_request(const http::RequestHead& client, const Play& play, base::Bytes sent) {
  const std::string& head = play.exchange.request_head();
  http::RequestHeadReader reader{64 * kLimit};
  std::size_t used = 0;
  require(reader.feed(base::as_bytes(head), used) == http::HeadStatus::complete && used == head.size());
  const http::RequestHead& app = reader.head();
  require(app.method == client.method && app.version_minor == 1);
  require(app.fields.joined("content-length") == client.fields.joined("content-length"));
  require(app.fields.joined("transfer-encoding") == client.fields.joined("transfer-encoding"));
  require(app.fields.count("connection") + app.fields.count("upgrade") + app.fields.count("te") == 0);
  require(app.fields.count("x-forwarded-for") <= 1 && app.fields.count("forwarded") == 1);

  const Body in{http::BodyFraming::of(client), sent};
  const Body out{http::BodyFraming::of(app), play.to_app.view()};
  require(in.content() == out.content());
  require(in.is_whole == out.is_whole && in.is_whole == (play.request_status == Status::complete));
  require(out.used == play.to_app.size());
}

/// Skips interim heads; false when no final head is whole.
bool read_final(http::ResponseHeadReader& reader, base::Bytes bytes, std::size_t& used) {
  while (reader.feed(bytes.subspan(used), used) == http::HeadStatus::complete) {
    if (!reader.head().is_interim()) return true;
    reader.next();
  }
  return false;
}

/// The client reads the answer: it is one, and its body is what the app sent.
void check_answer(const http::RequestHead& client, const Play& play, base::Bytes sent) {
  http::ResponseHeadReader app{kLimit, http::ResponseHeadReader::Interim::read};
  http::ResponseHeadReader again{64 * kLimit, http::ResponseHeadReader::Interim::read};
  std::size_t app_used = 0;
  std::size_t used = 0;
  const bool is_final = read_final(again, play.to_client.view(), used);
  require(is_final == play.exchange.answer_has_begun());
  if (!is_final) {
    require(used == play.to_client.size());
    return;
  }
  require(read_final(app, sent, app_used));
  const http::ResponseHead& head = again.head();
  require(head.status == app.head().status && head.reason == app.head().reason);
  if (play.answer_status == Status::complete) {
    require((head.fields.joined("connection") == "close") != play.exchange.client_persists());
  }

  const Body in{http::BodyFraming::of(app.head(), client.method), sent.subspan(app_used)};
  const Body out{http::BodyFraming::of(head, client.method), play.to_client.view().subspan(used)};
  require(in.content() == out.content() && used + out.used == play.to_client.size());
  require(in.is_whole == (play.answer_status == Status::complete));
  if (out.framing.ends_with_connection()) {
    require(play.exchange.cut_needs_reset() == !in.is_whole && head.fields.joined("connection") == "close");
  } else {
    require(in.is_whole == out.is_whole && !play.exchange.cut_needs_reset());
  }
}

/// A side that is over takes no more, and gives no more.
void check_silence(Play& play) {
  const base::Bytes more = base::as_bytes("0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
  const auto sizes = [&] {
    return std::array{play.client_used, play.app_used, play.to_app.size(), play.to_client.size()};
  };
  const auto before = sizes();
  if (play.request_status != Status::more) play.exchange.from_client(more, play.client_used, play.to_app);
  if (play.answer_status != Status::more) play.exchange.from_app(more, play.app_used, play.to_client);
  require(sizes() == before);
  const bool was_whole = play.answer_status == Status::complete;
  const bool may_end = was_whole || (play.exchange.answer_has_begun() && play.answer_status == Status::more);
  require(play.exchange.app_ended() != Status::complete || may_end);
  require(play.exchange.app_ended() != Status::more);
  require(play.exchange.client_persists() == (was_whole && play.exchange.client_persists()));
}

Choices choices_of(unsigned char first, unsigned char second) {
  Choices choices;
  choices.app_first = first & 1;
  choices.closes = first & 2;
  choices.facts.keep_incoming = first & 4;
  choices.facts.base_path = first & 8 ? "/base" : "";
  choices.facts.upstream_host = first & 16 ? "upstream.example:81" : "";
  choices.facts.peer = first & 32 ? "" : "2001:db8::1";
  choices.facts.upstream_authority = "app:8008";
  choices.facts.port = "8009";
  choices.facts.request_id = "id";
  choices.seed = second + 1u;
  return choices;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const Choices choices = choices_of(data[0], data[1]);
  const std::string_view text{reinterpret_cast<const char*>(data) + 2, size - 2};
  const std::size_t cut = std::min(text.find(kBetweenSides), text.size());
  const base::Bytes client = base::as_bytes(text.substr(0, cut));
  const base::Bytes app = base::as_bytes(text.substr(std::min(cut + kBetweenSides.size(), text.size())));

  http::RequestHeadReader reader{kLimit};
  std::size_t head_size = 0;
  if (reader.feed(client, head_size) != http::HeadStatus::complete) return 0;
  const base::Bytes body = client.subspan(head_size);
  Play whole{reader.head(), choices, 0};
  Play pieces{reader.head(), choices, choices.seed};
  whole.both_say(body, app, choices.app_first);
  pieces.both_say(body, app, choices.app_first);
  require_same(whole, pieces);
  check_request(reader.head(), whole, body);
  check_answer(reader.head(), whole, app);
  check_silence(whole);
  return 0;
}
