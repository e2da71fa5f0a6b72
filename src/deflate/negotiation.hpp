#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wsproxy::deflate {

/// The four parameters of permessage-deflate as both sides hold them (RFC 7692 section 7.1).
struct Params {
  std::uint8_t server_window_bits = 15;  // 8..15, what the proxy's compressor may use
  std::uint8_t client_window_bits = 15;  // 8..15, what the client's compressor may use
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool operator==(const Params&) const = default;
};

/// What an automatic history (compression.history: auto) begins with.
inline constexpr std::size_t kFirstReach = 4096;

/// What the operator allows and asks for, and what memory there is for it.
struct NegotiationPolicy {
  std::uint8_t server_window_bits = 15;  // compression.window_bits, 9..15
  std::uint8_t client_window_bits = 12;  // compression.client_window_bits, asked of clients that let us
  bool server_context_takeover = true;   // false too when history is 0
  bool client_context_takeover = true;
  std::size_t history_bytes = kFirstReach;   // compression.history, or what it begins with
  std::size_t free_memory = SIZE_MAX;        // of the budget, for this connection's histories
  std::size_t free_for_promises = SIZE_MAX;  // of it, for what the client may refer to
};

enum class NegotiationResult : std::uint8_t {
  accepted,
  absent,    // the client offered no permessage-deflate
  declined,  // it did, but no offer was acceptable or the header is malformed
};

struct Negotiation {
  NegotiationResult result = NegotiationResult::absent;
  Params params;               // when accepted
  bool lacked_memory = false;  // why there is less context takeover than there could be
  std::string
      answer;  // the value of Sec-WebSocket-Extensions when accepted, else empty: then no header at all
};

/// Chooses among the client's offers, the first acceptable one wins. `header` is the value of
/// Sec-WebSocket-Extensions, several lines joined by commas, empty when absent.
Negotiation negotiate(std::string_view header, const NegotiationPolicy& policy);

}  // namespace wsproxy::deflate
