// The header values of an opening handshake from the fuzzer, a line each: method, HTTP version, Host,
// Upgrade, Connection, Sec-WebSocket-Key, Sec-WebSocket-Version, Sec-WebSocket-Protocol.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/ascii.hpp"
#include "websocket/handshake.hpp"

namespace {

using namespace wsproxy;
using namespace wsproxy::websocket;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

using Lines = std::array<std::string_view, 8>;

Lines cut_into_lines(std::string_view text) {
  Lines lines;
  for (std::string_view& line : lines) {
    const std::size_t end = text.find('\n');
    line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

HandshakeRequest request_of(const Lines& lines) {
  HandshakeRequest request;
  request.method = lines[0];
  request.http_minor = lines[1].size() < 2 ? 1 : static_cast<unsigned char>(lines[1][1]) % 4;
  request.host = lines[2];
  request.key = lines[5];
  request.key_count = lines[1].size() < 3 ? 1 : static_cast<unsigned char>(lines[1][2]) % 4;
  request.version = lines[6];
  return request;
}

void check_handshake(const HandshakeRequest& request) {
  const HandshakeFault fault = check_request(request);
  require(!describe(fault).empty(), "a fault has a description");
  require(status_for(fault) == 400 || status_for(fault) == 426, "a fault has a status");

  if (fault != HandshakeFault::none) return;
  require(request.method == "GET" && base::trim(request.version) == "13",
          "the method and the version are right");
  require(request.key.size() == 24 && request.key_count == 1, "there is one key of 16 octets");
}

void check_wish(std::string_view upgrade, std::string_view connection) {
  require(wants_websocket(base::to_lower(upgrade), base::to_lower(connection)) ==
              wants_websocket(upgrade, connection),
          "names have no case");
}

void check_accept(std::string_view key) {
  const std::string accept = accept_for(key);
  require(accept.size() == 28 && accept.ends_with('='), "an accept key is a SHA-1 in base64");
}

void check_subprotocols(std::string_view list) {
  if (!is_valid_subprotocol_list(list)) return;
  const std::string twice = std::string{list} + "," + std::string{list};
  const bool has_items = list.find_first_not_of(", \t") != std::string_view::npos;
  require(is_valid_subprotocol_list(twice) == !has_items, "no subprotocol comes twice");
  const std::size_t comma = list.find(',');
  if (comma == std::string_view::npos) return;
  require(is_valid_subprotocol_list(list.substr(0, comma)), "a part of a list is a list");
  require(is_valid_subprotocol_list(list.substr(comma + 1)), "a part of a list is a list");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const Lines lines = cut_into_lines(text);
  check_handshake(request_of(lines));
  check_wish(lines[3], lines[4]);
  check_accept(lines[5]);
  check_subprotocols(lines[7]);
  return 0;
}
