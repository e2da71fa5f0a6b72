// What a server sends, to the reader of `wsproxy doctor`. The first byte says what was agreed, the next is a
// seed for the cuts, the rest is the stream. However it is cut, the same must be seen, and text is UTF-8.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "doctor/server_reader.hpp"
#include "websocket/close_code.hpp"
#include "websocket/utf8.hpp"

namespace {

using namespace wsproxy;
using doctor::Agreed;
using doctor::ServerReader;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::string taken(ServerReader& reader) {
  std::string seen;
  while (auto event = reader.take()) {
    const bool is_text =
        event->opcode == websocket::Opcode::text || event->opcode == websocket::Opcode::close;
    require(!is_text || websocket::is_valid_utf8(base::as_bytes(event->payload)), "text is UTF-8");
    require(!is_control(event->opcode) || event->payload.size() <= 125, "control frames are short");
    if (event->opcode == websocket::Opcode::close) {
      require(event->close_code == 1005 || websocket::may_be_on_the_wire(event->close_code),
              "codes are legal");
      require(reader.is_closed() && !reader.take(), "nothing is behind a close frame");
    }
    seen += std::to_string(static_cast<int>(event->opcode)) + (event->compressed ? "R" : "-") +
            std::to_string(event->close_code) + ":" + event->payload + ";";
  }
  return seen;
}

/// Cuts of 1 to 16 bytes by the seed; 0: none.
std::string read(const Agreed& agreed, base::Bytes bytes, unsigned seed) {
  ServerReader reader{agreed};
  std::string seen;
  while (!bytes.empty()) {
    seed = seed * 1664525U;
    const std::size_t size = seed == 0 ? bytes.size() : std::min<std::size_t>(1 + (seed >> 28), bytes.size());
    const bool is_good = reader.feed(bytes.first(size));
    require(is_good == reader.problem().empty(), "a breach has a name");
    seen += taken(reader);
    bytes = bytes.subspan(size);
  }
  return seen + reader.problem();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Agreed agreed;
  agreed.compression = (data[0] & 1) != 0;
  agreed.server_no_context_takeover = (data[0] & 2) != 0;
  agreed.server_window_bits = static_cast<std::uint8_t>(8 + (data[0] >> 2) % 8);
  const base::Bytes bytes = std::as_bytes(std::span{data + 2, size - 2});
  const std::string whole = read(agreed, bytes, 0);
  require(read(agreed, bytes, data[1] * 2U + 1U) == whole, "cuts never matter");
  return 0;
}
