#include <array>

#include "base/ascii.hpp"
#include "doctor/checks.hpp"

namespace wsproxy::doctor {
namespace {

using Answer = Conversation::Answer;

/// A request that no server may switch protocols for; `if_it_does` says how bad that would be. A 4xx is
/// right, or the 5xx that is `fitting`.
Finding must_not_switch(Subject& subject, const UpgradeRequest& request, Status if_it_does,
                        unsigned fitting = 505) {
  Conversation conversation{subject.target, subject.breaches};
  switch (conversation.ask(request)) {
    case Answer::switched:
    case Answer::wrong:
      return {if_it_does, "it switches protocols all the same"};
    case Answer::none:
      return conversation.is_over() ? passed() : warned(conversation.problem());
    case Answer::refused:
      break;
  }
  if (conversation.head().status < 500 || conversation.head().status == fitting) return passed();
  return warned(conversation.problem() + ", as if it were not the client's fault");
}

/// Section 4.4: the refusal says which version it would be.
Finding version_case(Subject& subject, const UpgradeRequest& request) {
  Conversation conversation{subject.target, subject.breaches};
  switch (conversation.ask(request)) {
    case Answer::switched:
    case Answer::wrong:
      return failed("it switches protocols all the same");
    case Answer::none:
      return warned(conversation.problem());
    case Answer::refused:
      break;
  }
  const auto& head = conversation.head();
  if (head.status < 400 || head.status >= 500) return warned(conversation.problem() + ", which is no 4xx");
  if (!base::list_has_token(head.fields.joined("Sec-WebSocket-Version"), "13"))
    return warned(conversation.problem() + " without Sec-WebSocket-Version: 13");
  return passed();
}

Finding version(Subject& subject) {
  Finding finding;
  UpgradeRequest old{subject.target};
  finding.add("version 7", version_case(subject, old.set("Sec-WebSocket-Version", "7")));
  UpgradeRequest none{subject.target};
  finding.add("no version", must_not_switch(subject, none.remove("Sec-WebSocket-Version"), Status::fail));
  return finding;
}

Finding no_key(Subject& subject) {
  UpgradeRequest request{subject.target};
  return must_not_switch(subject, request.remove("Sec-WebSocket-Key"), Status::fail);
}

Finding bad_key(Subject& subject) {
  Finding finding;
  for (const char* key : {"c2hvcnQ=", "not base64, by no means", ""}) {
    UpgradeRequest request{subject.target};
    finding.add(std::string{"the key \""} + key + "\"",
                must_not_switch(subject, request.set("Sec-WebSocket-Key", key), Status::warn));
  }
  return finding;
}

Finding two_keys(Subject& subject) {
  UpgradeRequest request{subject.target};
  return must_not_switch(subject, request.add("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="), Status::warn);
}

Finding no_host(Subject& subject) {
  UpgradeRequest request{subject.target};
  return must_not_switch(subject, request.remove("Host"), Status::warn);
}

Finding method(Subject& subject) {
  UpgradeRequest request{subject.target};
  request.method = "POST";
  return must_not_switch(subject, request.add("Content-Length", "0"), Status::fail,
                         501);  // RFC 9110 section 9.1: what it does not know
}

Finding http_1_0(Subject& subject) {
  UpgradeRequest request{subject.target};
  request.version = "HTTP/1.0";
  return must_not_switch(subject, request, Status::warn);
}

Finding no_upgrade(Subject& subject) {
  UpgradeRequest request{subject.target};
  return must_not_switch(subject, request.remove("Upgrade").remove("Connection"), Status::fail);
}

constexpr std::string_view kScripts =
    "what is no WebSocket client, a form on a web page for one, can be made to talk to it";

constexpr std::array kChecks = {
    Check{"handshake.version", "RFC 6455 4.4",
          "another version of the protocol is refused, with the one it speaks",
          "clients of another version talk past it, or cannot find out which one to use", kHandshake, false,
          version},
    Check{"handshake.no_key", "RFC 6455 4.2.1", "a request without a key is refused", kScripts, kHandshake,
          false, no_key},
    Check{"handshake.bad_key", "RFC 6455 4.2.1", "a key that is not base64 of 16 bytes is refused",
          "it talks to what does not follow the protocol", kHandshake, false, bad_key},
    Check{"handshake.two_keys", "RFC 6455 11.3.1", "a request with two keys is refused",
          "a proxy before it may have looked at the other one", kHandshake, false, two_keys},
    Check{"handshake.no_host", "RFC 6455 4.2.1", "a request without Host is refused",
          "it may be reached by names that are not its own", kHandshake, false, no_host},
    Check{"handshake.method", "RFC 6455 4.2.1", "a request by another method than GET is refused", kScripts,
          kHandshake, false, method},
    Check{"handshake.http_1_0", "RFC 6455 4.2.1", "an upgrade by HTTP/1.0 is refused",
          "a proxy of HTTP/1.0 in between keeps or caches what it should not", kHandshake, false, http_1_0},
    Check{"handshake.no_upgrade", "RFC 6455 4.2.1", "a request without Upgrade is not switched", kScripts,
          kHandshake, false, no_upgrade},
};

}  // namespace

std::span<const Check> request_checks() {
  return kChecks;
}

}  // namespace wsproxy::doctor
