#include "deflate/negotiation.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "deflate/extension_header.hpp"

namespace wsproxy::deflate {
namespace {

constexpr std::uint8_t kMaxWindowBits = 15;

/// One permessage-deflate offer as the client meant it.
struct Offer {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<std::uint8_t> server_max_window_bits;
  bool has_client_max_window_bits = false;
  std::uint8_t client_max_window_bits = kMaxWindowBits;
};

/// RFC 7692 section 7.1.2: decimal, 8 to 15, no leading zeros.
std::optional<std::uint8_t> parse_window_bits(const std::string& value) {
  if (value == "8") return std::uint8_t{8};
  if (value == "9") return std::uint8_t{9};
  if (value.size() != 2 || value[0] != '1' || value[1] < '0' || value[1] > '5') return std::nullopt;
  return static_cast<std::uint8_t>(10 + (value[1] - '0'));
}

/// A parameter without a value, given at most once.
bool set_flag(bool& flag, const Extension::Parameter& parameter) {
  if (flag || parameter.value) return false;
  return flag = true;
}

bool set_server_window(Offer& offer, const Extension::Parameter& parameter) {
  if (offer.server_max_window_bits || !parameter.value) return false;
  offer.server_max_window_bits = parse_window_bits(*parameter.value);
  return offer.server_max_window_bits.has_value();
}

/// Section 7.1.2.2: the value may be missing in an offer, which then means "whatever you like".
bool set_client_window(Offer& offer, const Extension::Parameter& parameter) {
  if (offer.has_client_max_window_bits) return false;
  offer.has_client_max_window_bits = true;
  if (!parameter.value) return true;
  const auto bits = parse_window_bits(*parameter.value);
  if (!bits) return false;
  offer.client_max_window_bits = *bits;
  return true;
}

bool apply(Offer& offer, const Extension::Parameter& parameter) {
  if (base::iequals(parameter.name, "server_no_context_takeover")) {
    return set_flag(offer.server_no_context_takeover, parameter);
  }
  if (base::iequals(parameter.name, "client_no_context_takeover")) {
    return set_flag(offer.client_no_context_takeover, parameter);
  }
  if (base::iequals(parameter.name, "server_max_window_bits")) return set_server_window(offer, parameter);
  if (base::iequals(parameter.name, "client_max_window_bits")) return set_client_window(offer, parameter);
  return false;
}

/// Nothing when the offer has to be declined (section 7.1: unknown, duplicated or invalid parameters).
std::optional<Offer> read_offer(const Extension& extension) {
  Offer offer;
  for (const auto& parameter : extension.parameters) {
    if (!apply(offer, parameter)) return std::nullopt;
  }
  return offer;
}

/// Whether a full history fits into the free memory, of which it then takes its part. One that does not
/// is better not agreed to: the proxy's own would be forgotten at once, and the client's has to be kept.
bool take(std::size_t& free_memory, std::size_t history_bytes) {
  if (history_bytes > free_memory) return false;
  free_memory -= history_bytes;
  return true;
}

std::size_t window_bytes(std::uint8_t bits) {
  return std::size_t{1} << bits;
}

void agree(const Offer& offer, const NegotiationPolicy& policy, Negotiation& negotiation) {
  Params& params = negotiation.params;
  params.server_window_bits =
      std::min(offer.server_max_window_bits.value_or(kMaxWindowBits), policy.server_window_bits);
  if (offer.has_client_max_window_bits) {
    params.client_window_bits = std::min(offer.client_max_window_bits, policy.client_window_bits);
  }
  std::size_t free_memory = policy.free_memory;
  const auto has_memory = [&](std::size_t history_bytes, std::size_t most = SIZE_MAX) {
    const bool fits = history_bytes <= most && take(free_memory, history_bytes);
    if (!fits) negotiation.lacked_memory = true;
    return fits;
  };
  params.server_no_context_takeover =
      offer.server_no_context_takeover || !policy.server_context_takeover ||
      !has_memory(std::min(policy.history_bytes, window_bytes(params.server_window_bits)));
  params.client_no_context_takeover =
      offer.client_no_context_takeover || !policy.client_context_takeover ||
      !has_memory(window_bytes(params.client_window_bits), policy.free_for_promises);
}

std::string write_answer(const Offer& offer, const Params& params) {
  std::string answer = "permessage-deflate";
  if (params.server_no_context_takeover) answer += "; server_no_context_takeover";
  if (params.client_no_context_takeover) answer += "; client_no_context_takeover";
  // What the client asked for has to be answered even when it changes nothing (section 7.1.2.1).
  if (offer.server_max_window_bits || params.server_window_bits < kMaxWindowBits) {
    answer += "; server_max_window_bits=" + std::to_string(params.server_window_bits);
  }
  if (offer.has_client_max_window_bits) {
    answer += "; client_max_window_bits=" + std::to_string(params.client_window_bits);
  }
  return answer;
}

}  // namespace

Negotiation negotiate(std::string_view header, const NegotiationPolicy& policy) {
  const auto extensions = parse_extensions(header);
  Negotiation negotiation;
  if (!extensions) {
    negotiation.result = NegotiationResult::declined;
    return negotiation;
  }
  for (const auto& extension : *extensions) {
    if (!base::iequals(extension.name, "permessage-deflate")) continue;
    negotiation.result = NegotiationResult::declined;
    const auto offer = read_offer(extension);
    if (!offer) continue;
    negotiation.result = NegotiationResult::accepted;
    agree(*offer, policy, negotiation);
    negotiation.answer = write_answer(*offer, negotiation.params);
    break;
  }
  return negotiation;
}

}  // namespace wsproxy::deflate
