// The first byte chooses the operator's policy, the rest is the header's value. An answer has to be one
// that the client's offers allow, and has to say what the proxy believes was agreed.

#include <cstdlib>

#include "base/ascii.hpp"
#include "deflate/extension_header.hpp"
#include "deflate/negotiation.hpp"

namespace {

using namespace wsproxy;
using deflate::Extension;

void require(bool holds) {
  if (!holds) std::abort();
}

const Extension::Parameter* find(const Extension& extension, std::string_view name) {
  for (const auto& parameter : extension.parameters) {
    if (base::iequals(parameter.name, name)) return &parameter;
  }
  return nullptr;
}

std::uint64_t window_bits(const Extension& extension, std::string_view name) {
  const auto* parameter = find(extension, name);
  return parameter != nullptr && parameter->value ? base::parse_decimal(*parameter->value).value() : 15;
}

/// What a declined offer holds need not be a number.
bool is_readable(const Extension& offer) {
  for (const auto* name : {"server_max_window_bits", "client_max_window_bits"}) {
    const auto* parameter = find(offer, name);
    if (parameter != nullptr && parameter->value && !base::parse_decimal(*parameter->value)) return false;
  }
  return true;
}

/// RFC 7692 section 7.1, from the client's point of view.
bool is_allowed_by(const Extension& answer, const Extension& offer) {
  if (!base::iequals(offer.name, "permessage-deflate")) return false;
  for (const auto* flag : {"server_no_context_takeover", "client_no_context_takeover"}) {
    if (find(offer, flag) != nullptr && find(answer, flag) == nullptr) return false;
  }
  if (find(offer, "server_max_window_bits") != nullptr && find(answer, "server_max_window_bits") == nullptr) {
    return false;
  }
  if (find(offer, "client_max_window_bits") == nullptr && find(answer, "client_max_window_bits") != nullptr) {
    return false;
  }
  return window_bits(answer, "server_max_window_bits") <= window_bits(offer, "server_max_window_bits") &&
         window_bits(answer, "client_max_window_bits") <= window_bits(offer, "client_max_window_bits");
}

void check_answer(const deflate::Negotiation& negotiation, const std::vector<Extension>& offers) {
  const auto answers = deflate::parse_extensions(negotiation.answer).value();
  require(answers.size() == 1);
  const auto& answer = answers.front();
  require(answer.name == "permessage-deflate");
  for (const auto& parameter : answer.parameters) {
    require(parameter.value.has_value() == parameter.name.ends_with("_max_window_bits"));
  }
  const auto& params = negotiation.params;
  require(params.server_window_bits >= 8 && params.client_window_bits >= 8);
  require(window_bits(answer, "server_max_window_bits") == params.server_window_bits);
  require(window_bits(answer, "client_max_window_bits") == params.client_window_bits);
  require((find(answer, "server_no_context_takeover") != nullptr) == params.server_no_context_takeover);
  require((find(answer, "client_no_context_takeover") != nullptr) == params.client_no_context_takeover);

  bool is_allowed = false;
  for (const auto& offer : offers)
    is_allowed = is_allowed || (is_readable(offer) && is_allowed_by(answer, offer));
  require(is_allowed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const deflate::NegotiationPolicy policy{
      .server_window_bits = static_cast<std::uint8_t>(9 + (data[0] & 7) % 7),
      .client_window_bits = static_cast<std::uint8_t>(9 + (data[0] >> 3 & 7) % 7),
      .server_context_takeover = (data[0] & 64) != 0,
      .client_context_takeover = (data[0] & 128) != 0,
  };
  const std::string_view header{reinterpret_cast<const char*>(data + 1), size - 1};
  const auto negotiation = deflate::negotiate(header, policy);
  const auto offers = deflate::parse_extensions(header);
  if (negotiation.result == deflate::NegotiationResult::accepted) {
    require(offers.has_value());
    require(negotiation.params.server_window_bits <= policy.server_window_bits);
    require(policy.server_context_takeover || negotiation.params.server_no_context_takeover);
    require(policy.client_context_takeover || negotiation.params.client_no_context_takeover);
    check_answer(negotiation, *offers);
  } else {
    require(negotiation.answer.empty());
    require(offers.has_value() || negotiation.result == deflate::NegotiationResult::declined);
  }
  return 0;
}
