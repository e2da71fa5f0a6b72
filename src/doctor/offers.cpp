#include "doctor/offers.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/ascii.hpp"
#include "deflate/extension_header.hpp"

namespace wsproxy::doctor {
namespace {

using deflate::Extension;

constexpr std::string_view kName = "permessage-deflate";
constexpr std::uint8_t kMostBits = 15;

constexpr std::array kOffers = {
    Offer{"permessage-deflate", true},
    Offer{"permessage-deflate; client_max_window_bits", true},
    Offer{"permessage-deflate; client_max_window_bits=10", true},
    Offer{"permessage-deflate; client_max_window_bits=15", true},
    Offer{"permessage-deflate; client_max_window_bits=\"10\"", true},
    Offer{"permessage-deflate; server_max_window_bits=15", true},
    Offer{"permessage-deflate; server_max_window_bits=12", true},
    Offer{"permessage-deflate; server_max_window_bits=9", true},
    Offer{"permessage-deflate; server_max_window_bits=8", true},
    Offer{"permessage-deflate; server_no_context_takeover", true},
    Offer{"permessage-deflate; client_no_context_takeover", true},
    Offer{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", true},
    Offer{"permessage-deflate; server_max_window_bits=10; client_max_window_bits; server_no_context_takeover",
          true},
    Offer{"x-doctor-knows; a=1, permessage-deflate; client_max_window_bits", true},
    Offer{"permessage-deflate; server_max_window_bits=10, permessage-deflate", true},
    Offer{"permessage-deflate; server_max_window_bits", false},
    Offer{"permessage-deflate; server_max_window_bits=7", false},
    Offer{"permessage-deflate; server_max_window_bits=16", false},
    Offer{"permessage-deflate; server_max_window_bits=08", false},
    Offer{"permessage-deflate; server_max_window_bits=1000000000000", false},
    Offer{"permessage-deflate; client_max_window_bits=7", false},
    Offer{"permessage-deflate; client_max_window_bits=16", false},
    Offer{"permessage-deflate; client_max_window_bits=ten", false},
    Offer{"permessage-deflate; server_no_context_takeover=1", false},
    Offer{"permessage-deflate; client_no_context_takeover=true", false},
    Offer{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", false},
    Offer{"permessage-deflate; server_max_window_bits=12; server_max_window_bits=12", false},
    Offer{"permessage-deflate; x_doctor_knows", false},
};

/// 8..15 without leading zeros (section 7.1.2), or nothing.
std::optional<std::uint8_t> window_bits(std::string_view text) {
  const auto bits = base::parse_decimal(text);
  if (!bits || *bits < 8 || *bits > 15 || text.starts_with('0')) return std::nullopt;
  return static_cast<std::uint8_t>(*bits);
}

/// The four parameters as an element has them.
struct Parameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<std::uint8_t> server_max_window_bits;
  std::optional<std::uint8_t> client_max_window_bits;
  bool has_client_max_window_bits = false;  // perhaps without a value
};

std::string read_window(const Extension::Parameter& parameter, std::optional<std::uint8_t>& to) {
  to = window_bits(parameter.value.value_or(""));
  return to ? "" : parameter.name + " is " + (parameter.value ? *parameter.value : "without a value");
}

/// Empty, or why the element is none of permessage-deflate's (section 7.1).
std::string read_parameters(const Extension& extension, bool is_offer, Parameters& to) {
  std::vector<std::string_view> seen;
  for (const auto& parameter : extension.parameters) {
    if (std::find(seen.begin(), seen.end(), parameter.name) != seen.end())
      return parameter.name + " comes twice";
    seen.push_back(parameter.name);
    std::string problem;
    if (parameter.name == "server_max_window_bits") {
      problem = read_window(parameter, to.server_max_window_bits);
    } else if (parameter.name == "client_max_window_bits") {
      to.has_client_max_window_bits = true;
      if (parameter.value || !is_offer) problem = read_window(parameter, to.client_max_window_bits);
    } else if (parameter.name == "server_no_context_takeover") {
      to.server_no_context_takeover = true;
      if (parameter.value) problem = parameter.name + " has a value";
    } else if (parameter.name == "client_no_context_takeover") {
      to.client_no_context_takeover = true;
      if (parameter.value) problem = parameter.name + " has a value";
    } else {
      problem = parameter.name + " is no parameter of permessage-deflate";
    }
    if (!problem.empty()) return problem;
  }
  return {};
}

/// Whether an answer fits one offer, and else what does not. The value of an offered client_max_window_bits
/// is a hint, which a server may ignore (section 7.1.2.2).
std::string problem_between(const Parameters& offer, const Parameters& answer) {
  if (offer.server_no_context_takeover && !answer.server_no_context_takeover)
    return "server_no_context_takeover was asked for and is not in the answer";
  if (offer.server_max_window_bits && !answer.server_max_window_bits)
    return "server_max_window_bits was asked for and is not in the answer";
  if (offer.server_max_window_bits && *answer.server_max_window_bits > *offer.server_max_window_bits)
    return "server_max_window_bits is more than was asked for";
  if (answer.has_client_max_window_bits && !offer.has_client_max_window_bits)
    return "client_max_window_bits is in the answer and was not offered";
  return {};
}

/// An answer that fits any of several offers is legal; `offer` is the first such.
std::string problem_with(std::string_view offered, const Parameters& answer, Parameters& offer) {
  const auto extensions = deflate::parse_extensions(offered);
  std::string problem = "permessage-deflate was not offered";
  for (const auto& extension : extensions.value_or(std::vector<Extension>{})) {
    if (extension.name != kName) continue;
    offer = {};
    problem = read_parameters(extension, true, offer);
    if (!problem.empty()) {
      problem.insert(0, "it accepts an offer that must be declined: ");
      continue;
    }
    problem = problem_between(offer, answer);
    if (problem.empty()) return {};
  }
  return problem;
}

}  // namespace

std::span<const Offer> offers_to_try() {
  return kOffers;
}

std::string judge_extensions(std::string_view offer, std::string_view answer, bool is_present,
                             Agreed& agreed) {
  agreed = {};
  if (!is_present) return {};
  const auto extensions = deflate::parse_extensions(answer);
  if (!extensions || extensions->empty())
    return "Sec-WebSocket-Extensions is \"" + std::string{answer} + "\", which lists no extension";
  if (extensions->size() > 1) return "two extensions are accepted: \"" + std::string{answer} + "\"";
  const Extension& extension = extensions->front();
  if (extension.name != kName) return "the extension \"" + extension.name + "\" was not offered";
  Parameters accepted, offered;
  std::string problem = read_parameters(extension, false, accepted);
  if (problem.empty()) problem = problem_with(offer, accepted, offered);
  if (!problem.empty()) return problem;
  const std::uint8_t client_bits = std::min(accepted.client_max_window_bits.value_or(kMostBits),
                                            offered.client_max_window_bits.value_or(kMostBits));
  agreed = {true, accepted.server_max_window_bits.value_or(kMostBits), client_bits,
            accepted.server_no_context_takeover, accepted.client_no_context_takeover};
  return {};
}

}  // namespace wsproxy::doctor
