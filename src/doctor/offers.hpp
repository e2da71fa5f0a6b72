#pragma once

#include <span>
#include <string>
#include <string_view>

#include "doctor/server_reader.hpp"

namespace wsproxy::doctor {

/// An offer of permessage-deflate, and what a server may do with it (RFC 7692 sections 5.1 and 7.1).
struct Offer {
  std::string_view text;  // of Sec-WebSocket-Extensions
  bool is_valid;          // false: it has to be declined, whatever else the server can do
};

/// Of each way in which parameters come, and of each way to get them wrong.
std::span<const Offer> offers_to_try();

/// What is illegal about an answer (Sec-WebSocket-Extensions, its lines joined by commas) to an offer, empty
/// when nothing is; `agreed` is what then holds. `is_present`: whether the answer has such a header at all.
std::string judge_extensions(std::string_view offer, std::string_view answer, bool is_present,
                             Agreed& agreed);

}  // namespace wsproxy::doctor
