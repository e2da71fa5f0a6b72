// Heads and bodies of both sides. However the bytes are cut, the readers say the same, and what the
// proxy writes of a head that it accepted is one head again: nothing in it breaks out of its line.

#include <algorithm>
#include <cstdlib>
#include <string>

#include "http/response_head.hpp"
#include "http/upgrade.hpp"

namespace {

using namespace wsproxy;

constexpr std::size_t kLimit = 2048;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Feeds `bytes` in pieces of `piece_size` and returns how much was used.
template <typename Reader>
std::size_t feed(Reader& reader, base::Bytes bytes, std::size_t piece_size, http::HeadStatus& status) {
  std::size_t used = 0;
  status = http::HeadStatus::need_more;
  while (status == http::HeadStatus::need_more && used < bytes.size()) {
    status = reader.feed(bytes.subspan(used, std::min(piece_size, bytes.size() - used)), used);
  }
  return used;
}

template <typename Reader>
void require_same(Reader& whole, Reader& cut, base::Bytes bytes, std::size_t piece_size,
                  http::HeadStatus& status, std::size_t& used) {
  http::HeadStatus cut_status;
  used = feed(whole, bytes, bytes.size(), status);
  require(feed(cut, bytes, piece_size, cut_status) == used && cut_status == status);
  require(whole.problem() == cut.problem() && whole.head().fields.all() == cut.head().fields.all());
}

/// What must be true of a head's bytes by RFC 9112 alone, in another way than the proxy finds out.
void check_lines(base::Bytes bytes, std::size_t used, http::HeadStatus status) {
  std::string_view text = base::as_text(bytes);
  text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
  const std::size_t end = text.find("\r\n\r\n");
  // Sections 2.1 and 2.2: an empty line ends a head, whatever it is worth.
  require(end == std::string_view::npos || status != http::HeadStatus::need_more);
  if (status != http::HeadStatus::complete) return;
  std::string_view head = base::as_text(bytes.first(used));
  require(head.ends_with("\r\n\r\n"));
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto c = static_cast<unsigned char>(head[i]);
    if (c == '\r') require(i + 1 < head.size() && head[i + 1] == '\n');
    if (c == '\n') require(i > 0 && head[i - 1] == '\r');
    require(c == '\r' || c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7F));
  }
}

/// Section 5: a name, at once a colon, no folded line.
void check_fields(std::string_view head) {
  head.remove_prefix(std::min(head.find_first_not_of("\r\n"), head.size()));
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.starts_with("\r\n")) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(':');
    require(colon != std::string_view::npos && colon > 0);
    require(line.substr(0, colon).find_first_of(" \t\"(),/:;<=>?@[\\]{}") == std::string_view::npos);
    head.remove_prefix(line.size() + 2);
  }
}

void try_request(base::Bytes bytes, std::size_t piece_size) {
  http::RequestHeadReader whole{kLimit};
  http::RequestHeadReader cut{kLimit};
  http::HeadStatus status;
  std::size_t used = 0;
  require_same(whole, cut, bytes, piece_size, status, used);
  check_lines(bytes, used, status);
  if (status == http::HeadStatus::complete) check_fields(base::as_text(bytes.first(used)));
  if (status != http::HeadStatus::complete || whole.head().method != "GET") return;

  http::ForwardedFacts facts;
  facts.peer = "192.0.2.1";
  facts.base_path = "/base";
  facts.keep_incoming = piece_size % 2 == 0;
  const std::string written = http::upgrade_request(whole.head(), facts);
  http::RequestHeadReader again{16 * kLimit};
  std::size_t again_used = 0;
  const auto again_status = again.feed(base::as_bytes(written), again_used);
  // A client of HTTP/1.0 need not say Host, but the request that goes on is 1.1.
  if (whole.head().fields.count("host") == 0 && again_status == http::HeadStatus::malformed) return;
  require(again_status == http::HeadStatus::complete && again_used == written.size());
  require(again.head().fields.all().size() <= whole.head().fields.all().size() + 6);
  require(again.head().fields.count("sec-websocket-extensions") == 0);
}

void try_body(http::ResponseHeadReader& whole, http::ResponseHeadReader& cut, base::Bytes body,
              std::size_t piece_size) {
  using Status = http::ResponseHeadReader::BodyStatus;
  std::size_t used = 0;
  std::size_t cut_used = 0;
  const Status status = whole.body(body, used);
  Status cut_status = cut.body({}, cut_used);
  while (cut_status == Status::more && cut_used < body.size()) {
    cut_status = cut.body(body.subspan(cut_used, std::min(piece_size, body.size() - cut_used)), cut_used);
  }
  require(status == cut_status && used == cut_used && used <= body.size());
}

void try_response(base::Bytes bytes, std::size_t piece_size) {
  http::ResponseHeadReader whole{kLimit};
  http::ResponseHeadReader cut{kLimit};
  http::HeadStatus status;
  std::size_t used = 0;
  require_same(whole, cut, bytes, piece_size, status, used);
  if (status != http::HeadStatus::complete) return;
  const std::string& raw = whole.head().raw;
  check_lines(base::as_bytes(raw), raw.size(), status);
  check_fields(raw);
  require(base::as_text(bytes.first(used)).ends_with(raw));
  try_body(whole, cut, bytes.subspan(used), piece_size);

  (void)http::problem_with_101(whole.head(), "accept", "a, b");
  const std::string written = http::upgrade_response(whole.head(), "permessage-deflate");
  http::ResponseHeadReader again{16 * kLimit};
  std::size_t again_used = 0;
  require(again.feed(base::as_bytes(written), again_used) == http::HeadStatus::complete);
  require(again_used == written.size());
  require(again.head().fields.joined("sec-websocket-extensions") == "permessage-deflate");
}

}  // namespace

// The first byte chooses the side and the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span{data + 1, size - 1});
  const std::size_t piece_size = 1 + data[0] / 2u;
  if (data[0] % 2 == 0) {
    try_request(bytes, piece_size);
  } else {
    try_response(bytes, piece_size);
  }
  return 0;
}
