#include "handshake.hpp"

#include <array>
#include <stdexcept>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace bench {
namespace {

constexpr std::string_view kKey = "d3MgYmVuY2htYXJrIGtleQ==";

}  // namespace

std::optional<std::string> header_value(std::string_view head, std::string_view name) {
  for (auto line_end = head.find("\r\n"); line_end != std::string_view::npos; line_end = head.find("\r\n")) {
    const auto line = head.substr(0, line_end);
    head.remove_prefix(line_end + 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const auto start = line.find_first_not_of(" \t", name.size() + 1);
    return start == std::string_view::npos ? std::string() : std::string(line.substr(start));
  }
  return std::nullopt;
}

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

std::string upgrade_request(std::string_view path, std::string_view offer) {
  std::string request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: bench.example.org\r\n";
  request += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  request += "Sec-WebSocket-Key: " + std::string(kKey) + "\r\n";
  if (!offer.empty()) request += "Sec-WebSocket-Extensions: " + std::string(offer) + "\r\n";
  return request + "\r\n";
}

std::string check_upgraded(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 101 ")) throw std::runtime_error("no upgrade: " + std::string(head));
  if (header_value(head, "Sec-WebSocket-Accept") != accept_key(kKey))
    throw std::runtime_error("wrong Sec-WebSocket-Accept: " + std::string(head));
  return header_value(head, "Sec-WebSocket-Extensions").value_or("");
}

}  // namespace bench
