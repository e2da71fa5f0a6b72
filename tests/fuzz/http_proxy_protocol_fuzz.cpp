// PROXY protocol headers. However the bytes are cut, the reader says the same and takes the same; what it
// made of them is written in both versions and read again as the same addresses.

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "http/proxy_protocol.hpp"

namespace {

using namespace wsproxy;
using http::ProxyHeaderReader;
using http::ProxyHeaderStatus;

constexpr std::size_t kV2Start = 16;
constexpr std::size_t kLongestLine = 107;
constexpr std::size_t kLongest = kV2Start + 65535;

// Everything that a connection keeps of its header, whatever the header's length.
static_assert(sizeof(ProxyHeaderReader) < 320);

void require(bool holds) {
  if (!holds) std::abort();
}

struct Outcome {
  ProxyHeaderStatus status = ProxyHeaderStatus::need_more;
  std::size_t used = 0;
};

/// Each piece is memory of its own, so that the sanitizer sees a reader that looks behind it.
Outcome feed(ProxyHeaderReader& reader, base::Bytes bytes, std::size_t piece_size) {
  Outcome outcome;
  while (outcome.status == ProxyHeaderStatus::need_more && outcome.used < bytes.size()) {
    const base::Bytes rest = bytes.subspan(outcome.used);
    const base::Bytes next = rest.first(std::min(piece_size, rest.size()));
    const std::vector<std::byte> piece(next.begin(), next.end());
    std::size_t used = 0;
    outcome.status = reader.feed(piece, used);
    require(used <= piece.size() && (used == piece.size() || outcome.status != ProxyHeaderStatus::need_more));
    outcome.used += used;
  }
  return outcome;
}

void require_length(const ProxyHeaderReader& reader, const Outcome& outcome, base::Bytes bytes) {
  const bool is_v2 = !bytes.empty() && bytes.front() == std::byte{'\r'};
  require(outcome.used <= (is_v2 ? kLongest : kLongestLine));
  if (outcome.status == ProxyHeaderStatus::malformed) require(!reader.problem().empty());
  if (outcome.status != ProxyHeaderStatus::complete) return;
  if (is_v2) {
    require(outcome.used == kV2Start + base::load_be16(&bytes[14]));
  } else {
    const std::string_view line = base::as_text(bytes.first(outcome.used));
    require(line.ends_with("\r\n") && line.find('\n') == line.size() - 1);
  }
}

void require_round_trip(const http::ProxiedAddresses& meant) {
  for (const http::ProxyVersion version : {http::ProxyVersion::v1, http::ProxyVersion::v2}) {
    const std::string header = http::proxy_header(version, meant);
    ProxyHeaderReader reader;
    std::size_t used = 0;
    require(reader.feed(base::as_bytes(header), used) == ProxyHeaderStatus::complete &&
            used == header.size());
    // A unix socket's client has no address to write.
    const bool has_addresses = !meant.is_local && !meant.source.host.empty();
    require(reader.addresses() == (has_addresses ? meant : http::ProxiedAddresses{}));
  }
}

}  // namespace

// The first byte chooses the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span{data + 1, size - 1});
  ProxyHeaderReader whole;
  ProxyHeaderReader cut;
  const Outcome outcome = feed(whole, bytes, std::max<std::size_t>(bytes.size(), 1));
  const Outcome again = feed(cut, bytes, 1 + data[0] / 2U);
  require(outcome.status == again.status && outcome.used == again.used);
  require(whole.addresses() == cut.addresses() && whole.problem() == cut.problem());
  require_length(whole, outcome, bytes);
  if (outcome.status == ProxyHeaderStatus::complete) require_round_trip(whole.addresses());
  return 0;
}
