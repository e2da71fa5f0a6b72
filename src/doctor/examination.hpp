#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/conversation.hpp"
#include "doctor/finding.hpp"
#include "doctor/target.hpp"

namespace wsproxy::doctor {

/// What checks know of the server that they look at, found out before the first of them.
struct Subject {
  Target target;
  bool has_handshake = false;   // a plain one succeeds
  bool takes_messages = false;  // a text that it does not know does not make it close
  bool echoes = false;
  Agreed agreed;                      // for kUsualOffer
  std::string extensions;             // the answer to it
  std::string problem;                // why there is no handshake
  std::vector<std::string> breaches;  // of the server's own frames, from all conversations so far
};

/// What browsers offer.
inline constexpr std::string_view kUsualOffer = "permessage-deflate; client_max_window_bits";

/// What a check needs of the server to say anything.
enum Needs : unsigned char {
  kNothing = 0,
  kHandshake = 1,
  kMessages = 2,
  kEcho = 4,
  kDeflate = 8,
  kSecure = 16,
};

/// One question to a server.
struct Check {
  std::string_view id;       // group.name
  std::string_view section;  // of which RFC
  std::string_view title;    // what is so when it passes
  std::string_view meaning;  // for users when it does not
  unsigned needs;
  bool is_deep;  // takes much of the server, or long
  Finding (*run)(Subject&);
  bool is_about_all = false;  // judges what the others have shown, so it is made last

  constexpr std::string_view group() const { return id.substr(0, id.find('.')); }
};

struct Result {
  const Check* check;
  Finding finding{};
  double milliseconds = 0;
  bool is_left_out = false;  // of the deep ones, as nobody asked for them
};

struct Choice {
  bool deep = false;
  std::vector<std::string> only;  // ids or groups; empty: all
};

/// All checks, in the order of the scorecard.
const std::vector<Check>& checks();
/// Whether there is such a check or group.
bool is_known(std::string_view id);

/// Reaches the server and finds out what kind it is; false when it cannot be reached at all.
bool meet(Subject& subject);
/// One result for each check that was chosen.
std::vector<Result> examine(Subject& subject, const Choice& choice);

}  // namespace wsproxy::doctor
